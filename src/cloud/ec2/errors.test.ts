import { describe, expect, test } from 'vitest';
import { QuorateError } from '../../errors.js';
import type { Reaction } from './error-line.js';
import { ERRORS } from './error-table.js';
import { amazonError, failureOf, lineOf, told } from './errors.js';

const failed = (code: string, message = 'words of Amazon', status = 400, call = 'RunInstances') =>
  ({ code, message, status, call }) as const;

/** What Amazon says in such a case, what is done about it, and the sentence that a person reads. */
const SAID: readonly [code: string, message: string, Reaction, becomes: string, sentence: RegExp][] = [
  ['RequestLimitExceeded', 'Request limit exceeded.', 'retry', 'cloud-throttled', /no more calls.*\(RunInstances\)/],
  ['SlowDown', 'Please reduce your request rate.', 'retry', 'cloud-throttled', /no more calls/],
  ['InternalError', 'An internal error has occurred', 'retry', 'cloud-unavailable', /or did not say that it has: An/],
  ['TimeoutError', 'no answer within 5000 ms', 'retry', 'cloud-unavailable', /no answer within 5000 ms\.$/],
  ['ConditionalRequestConflict', 'Concurrent request.', 'retry', 'cloud-busy', /to the same thing/],
  ['DependencyViolation', 'resource sg-1 has a dependent object', 'retry', 'cloud-in-use', /sg-1 has a dependent/],
  ['IncorrectInstanceState', "The instance 'i-1' is not in a state", 'retry', 'cloud-busy', /another state/],
  ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1', 'retry', 'cloud-unreachable', /could not be reached/],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate', 'fatal', 'cloud-not-trusted', /does not trust/],
  ['ENOTFOUND', 'getaddrinfo ENOTFOUND ec2.xy.amazonaws.com', 'fatal', 'no-such-endpoint', /ec2\.xy/],
  ['NotAmazon', 'Unexpected token <', 'fatal', 'not-amazon', /is not Amazon’s API/],
  ['RequestExpired', 'Signature expired: 20261129T1 is earlier', 'wait', 'clock-wrong', /time of this machine/],
  ['RequestTimeTooSkewed', 'The difference is too large.', 'wait', 'clock-wrong', /time of this machine/],
  ['RequestExpired', 'Request has expired.', 'wait', 'credentials-expired', /have expired \(RunInstances\)/],
  ['ExpiredToken', 'The provided token has expired.', 'wait', 'credentials-expired', /have expired/],
  ['CredentialsProviderError', 'The SSO session has expired.', 'wait', 'credentials-expired', /have expired/],
  ['CredentialsProviderError', 'Could not load credentials', 'fatal', 'no-credentials', /no credentials/],
  ['AuthFailure', 'AWS was not able to validate', 'fatal', 'credentials-refused', /does not accept/],
  ['UnauthorizedOperation', 'You are not authorized.', 'fatal', 'not-permitted', /may not do ec2:RunInstances\.$/],
  ['OptInRequired', 'You are not subscribed.', 'fatal', 'account-not-ready', /for this account yet/],
  [
    'OperationNotPermitted',
    "its 'disableApiTermination' is set",
    'fatal',
    'instance-protected',
    /protected the instance/,
  ],
  ['InsufficientInstanceCapacity', 'We do not have enough.', 'other-zone', 'zone-full', /no room/],
  ['InsufficientFreeAddressesInSubnet', 'Not enough.', 'other-zone', 'zone-full', /no free address/],
  ['InsufficientVolumeCapacity', 'no disk', 'other-zone', 'zone-full', /in this zone: no disk/],
  [
    'Unsupported',
    'type (t3.nano) is not supported in your requested Availability Zone',
    'other-zone',
    'zone-full',
    /this zone/,
  ],
  [
    'Unsupported',
    'The requested configuration is not supported.',
    'other-type',
    'type-unavailable',
    /this instance type/,
  ],
  [
    'InvalidParameterValue',
    "Invalid value 't9' for InstanceType.",
    'other-type',
    'type-unavailable',
    /no such instance type/,
  ],
  [
    'VcpuLimitExceeded',
    'You have requested more vCPU capacity',
    'wait',
    'quota-reached',
    /more instances in this region/,
  ],
  ['VolumeLimitExceeded', 'too many volumes', 'wait', 'quota-reached', /more of what RunInstances needs/],
  ['RulesPerSecurityGroupLimitExceeded', 'The maximum', 'wait', 'quota-reached', /security groups or rules/],
  ['TooManyBuckets', 'too many', 'wait', 'quota-reached', /more buckets/],
  [
    'InvalidInstanceID.NotFound',
    "The instance ID 'i-1' does not exist",
    'look-again',
    'unknown-instance',
    /does not show it yet/,
  ],
  ['InvalidGroup.NotFound', 'The security group does not exist', 'look-again', 'cloud-not-found', /does not have what/],
  ['InvalidGroup.Duplicate', 'already exists', 're-plan', 'cloud-there-already', /there already/],
  ['PreconditionFailed', 'At least one', 're-plan', 'stale', /Somebody else wrote/],
  ['IdempotentParameterMismatch', 'Arguments differ', 're-plan', 'nonce-spent', /with other words before/],
  ['IdempotentInstanceTerminated', 'terminated', 're-plan', 'nonce-spent', /starts nothing any more/],
  ['InvalidAMIID.NotFound', "The image id 'ami-1' does not exist", 'fatal', 'no-image', /ami-1/],
  ['InvalidVpcID.NotFound', "The vpc ID 'vpc-1' does not exist", 'fatal', 'no-vpc', /vpc-1/],
  ['InvalidSubnetID.NotFound', "The subnet ID 'subnet-1'", 're-plan', 'no-subnet', /subnet-1/],
  ['InvalidParameterValue', 'Invalid IAM Instance Profile name', 'fatal', 'no-instance-profile', /instance profile/],
  ['TagLimitExceeded', 'too many tags', 'fatal', 'tags-refused', /refuses the tags/],
  ['BucketAlreadyExists', 'not available', 'fatal', 'bucket-taken', /Somebody else has a bucket/],
  ['PermanentRedirect', 'must be addressed', 'fatal', 'bucket-elsewhere', /another region/],
];

describe('the error table', () => {
  test.each(SAID)('%s (%s) is to %s', (code, message, reaction, becomes, sentence) => {
    const failure = failed(code, message);
    const line = lineOf(failure);
    expect(line.reaction).toBe(reaction);
    expect(line.becomes).toBe(becomes);
    expect(told(failure).message).toMatch(sentence);
    expect(told(failure).message).not.toMatch(/[{}]|\.\.$/);
  });

  test('every line has its case here, and what only people can end says what to do', () => {
    const seen = new Set(SAID.map(([code, message]) => lineOf(failed(code, message))));
    expect(ERRORS.filter((line) => !seen.has(line)).map(({ codes }) => codes)).toEqual([]);
    const mute = ERRORS.filter(({ reaction, todo }) => ['wait', 'fatal'].includes(reaction) && todo === '');
    expect(mute).toEqual([]);
  });

  test('no line is hidden by one before it', () => {
    const whole = ERRORS.filter(({ says }) => says === undefined);
    const twice = whole.flatMap(({ codes }, at) =>
      codes.filter((code) => whole.slice(0, at).some((before) => before.codes.includes(code))),
    );
    expect(twice).toEqual([]);
  });

  test('what nobody has heard of yet is fatal in Amazon’s words, unless its server broke', () => {
    expect(lineOf(failed('Marvellous')).reaction).toBe('fatal');
    expect(told(failed('Marvellous', 'New in 2031.')).message).toBe(
      'Amazon refused RunInstances (Marvellous): New in 2031.',
    );
    expect(lineOf(failed('Marvellous', '', 503)).reaction).toBe('retry');
    expect(lineOf(failed('Marvellous', '', 429)).reaction).toBe('retry');
  });
});

describe('a thrown error', () => {
  const thrown = (name: string, message: string, more: object = {}) =>
    Object.assign(new Error(message), {
      name,
      $fault: 'client',
      $metadata: { httpStatusCode: 400 },
      $response: {},
      ...more,
    });

  test('names the permission that lacks, and nothing that only machines read', () => {
    const error = amazonError(
      thrown(
        'UnauthorizedOperation',
        'You are not authorized to perform this operation. User: arn:aws:iam::1:user/ana is not authorized to perform: ec2:CreateTags on resource: x. Encoded authorization failure message: AAAA',
      ),
      'RunInstances',
    );
    expect(error).toBeInstanceOf(QuorateError);
    expect(error).toMatchObject({ code: 'not-permitted', message: 'These credentials may not do ec2:CreateTags.' });
  });

  test('of Node’s is one that is tried again', () => {
    const error = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });
    expect(failureOf(error, 'DescribeInstances')).toMatchObject({ code: 'ECONNREFUSED', status: 0 });
    expect(amazonError(error, 'DescribeInstances')).toMatchObject({ reaction: 'retry' });
  });

  test('about an answer that nobody of Amazon’s wrote says so', () => {
    const page = Object.assign(new SyntaxError('Unexpected token <'), { $response: { statusCode: 200 } });
    expect(amazonError(page, 'GetCallerIdentity')).toMatchObject({
      code: 'not-amazon',
      message: 'What answered GetCallerIdentity is not Amazon’s API: it answered HTTP 200 with something else.',
    });
    const lost = thrown('UnknownError', 'UnknownError', { $metadata: { httpStatusCode: 404 } });
    expect(amazonError(lost, 'GetCallerIdentity')).toMatchObject({ code: 'not-amazon' });
    const broken = thrown('UnknownError', 'UnknownError', { $metadata: { httpStatusCode: 502 } });
    expect(amazonError(broken, 'GetCallerIdentity')).toMatchObject({ reaction: 'retry' });
    const html = Object.assign(new Error('XML parse error\n  Deserialization error: to see the raw response, …'), {
      $response: { statusCode: 500 },
    });
    expect(amazonError(html, 'DescribeVpcs')).toMatchObject({
      reaction: 'retry',
      message: 'Amazon did not do DescribeVpcs, or did not say that it has: it answered HTTP 500 with something else.',
    });
  });

  test('of our own stays what it is', () => {
    const own = new QuorateError('zone-full', 'zone a has no room');
    expect(amazonError(own, 'RunInstances')).toBe(own);
  });
});
