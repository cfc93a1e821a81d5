import { describe, expect, test } from 'vitest';
import { CALLS } from '../../src/cloud/ec2/calls.js';
import { CALL, callOf, FETCH } from '../support/call-names.js';
import { callTable, ownCalls } from '../support/call-table.js';

const SDK = { 'user-agent': 'aws-sdk-js/3.1175.0 ua/2.1 os/linux' };
const FORM = { ...SDK, 'content-type': 'application/x-www-form-urlencoded' };
const nothing = Buffer.of();

test('each service names its calls in its own way', () => {
  expect(callOf({ method: 'POST', url: '/', headers: FORM }, Buffer.from('Action=RunInstances&Version=1'))).toBe(
    'RunInstances',
  );
  const ssm = { ...SDK, 'x-amz-target': 'AmazonSSM.GetParameter', 'content-type': 'application/x-amz-json-1.1' };
  expect(callOf({ method: 'POST', url: '/', headers: ssm }, nothing)).toBe('GetParameter');
  expect(callOf({ method: 'GET', url: '/', headers: { ...SDK, [CALL]: 'GetObject' } }, nothing)).toBe('GetObject');
});

describe('S3 is asked about', () => {
  test.each([
    ['PUT', '/bucket', 'CreateBucket'],
    ['PUT', '/bucket/?publicAccessBlock', 'PutPublicAccessBlock'],
    ['PUT', '/bucket?versioning', 'PutBucketVersioning'],
    ['PUT', '/bucket?encryption', 'PutBucketEncryption'],
    ['PUT', '/bucket?lifecycle', 'PutBucketLifecycleConfiguration'],
    ['PUT', '/bucket?tagging', 'PutBucketTagging'],
    ['GET', '/bucket?list-type=2&max-keys=1000', 'ListObjectsV2'],
    ['GET', '/bucket?max-keys=1000&versions', 'ListObjectVersions'],
    ['DELETE', '/bucket', 'DeleteBucket'],
    ['GET', '/bucket/addresses.json?x-id=GetObject', 'GetObject'],
    ['PUT', '/bucket/parts/node-1?x-id=PutObject', 'PutObject'],
    ['DELETE', '/bucket/parts/node-1?versionId=v&x-id=DeleteObject', 'DeleteObject'],
  ])('%s %s', (method, url, call) => {
    expect(callOf({ method, url, headers: SDK }, nothing)).toBe(call);
    expect(Object.keys(CALLS)).toContain(call);
    expect(callOf({ method, url, headers: { 'user-agent': 'Python-urllib/3.11' } }, nothing)).toBe(FETCH);
  });
});

test('what a command asks of its own is counted without what is asked all the time, and boots are not the product’s', () => {
  const idle = { title: 'nothing', seconds: 60, calls: Array(6).fill('DescribeInstances') };
  const start = { title: 'a start', seconds: 30, calls: [...idle.calls, FETCH, 'RunInstances', 'RunInstances'] };
  expect(ownCalls(start, idle)).toBe(5);
  expect(callTable([start])).toContain('| a start | 30 | 8 | 6 | 2 | DescribeInstances 6, RunInstances 2 |');
});
