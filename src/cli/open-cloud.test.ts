import { expect, test } from 'vitest';
import type { EnvironmentRecord } from '../store/store.js';
import { placeOf } from './open-cloud.js';

const record = (cloud: string, region: string): EnvironmentRecord => ({
  name: 'prod',
  uuid: 'u',
  cloud,
  region,
  addresses: { version: 1, servers: [] },
  url: '',
  temporal: { address: '', namespace: 'default' },
  createdAt: '',
});

test('an environment is where its record says, whatever this shell is set to', () => {
  const env = { AWS_REGION: 'us-east-1' };
  const kept = { ...record('ec2', 'eu-west-1'), cloudSettings: { vpc: 'own' } };
  expect(placeOf(kept, env)).toMatchObject({ cloud: 'ec2', region: 'eu-west-1', cloudSettings: { vpc: 'own' } });
  expect(placeOf(record('local', ''), env)).toMatchObject({ cloud: 'local', region: '' });
});

test('a record without a region takes the SDK’s own setting, and says so where there is none', () => {
  expect(placeOf(record('ec2', ''), { AWS_REGION: 'eu-west-1' }).region).toBe('eu-west-1');
  expect(placeOf(record('ec2', ''), { AWS_DEFAULT_REGION: 'eu-west-2' }).region).toBe('eu-west-2');
  expect(() => placeOf(record('ec2', ''), {})).toThrow(
    expect.objectContaining({ code: 'unknown-region', exit: 2, todo: expect.stringMatching(/AWS_REGION/) }),
  );
});
