import type { Instance as SdkInstance } from '@aws-sdk/client-ec2';
import { describe, expect, test } from 'vitest';
import { causeOf, type Ec2Instance, instanceOf, oldestFirst, withoutGoneTwins } from './instance.js';
import { tagsFrom } from './tags.js';

const TAGS = { environment: 'e', machine: '7', nonce: 'n' };
const seen = (more: Partial<SdkInstance> = {}): SdkInstance => ({
  InstanceId: 'i-1',
  Tags: tagsFrom(TAGS),
  State: { Name: 'running' },
  LaunchTime: new Date('2026-01-02T00:00:00Z'),
  ...more,
});

describe('an instance', () => {
  test('that carries none of our tags is none of ours', () => {
    expect(instanceOf(seen({ Tags: [] }))).toBeNull();
    expect(instanceOf(seen({ Tags: tagsFrom({ environment: 'e', machine: '7' }) }))).toBeNull();
  });

  test('that EC2 is ending cannot start again, and is not gone yet', () => {
    expect(instanceOf(seen({ State: { Name: 'shutting-down' } }))?.state).toBe('stopping');
    expect(instanceOf(seen({ State: { Name: 'terminated' } }))?.state).toBe('terminated');
  });

  test('is dialled at its private address by others, at its public one from outside', () => {
    const instance = instanceOf(seen({ PrivateIpAddress: '10.0.0.7', PublicIpAddress: '203.0.113.7' }));
    expect(instance).toMatchObject({ address: '10.0.0.7', publicAddress: '203.0.113.7' });
    expect(instanceOf(seen())).toMatchObject({ address: '', publicAddress: '' });
  });

  test('is as old as its first start, however often it was started since', () => {
    const again = seen({
      LaunchTime: new Date('2026-03-01T00:00:00Z'),
      NetworkInterfaces: [{ Attachment: { AttachTime: new Date('2026-01-01T00:00:00Z'), DeviceIndex: 0 } }],
    });
    expect(instanceOf(again)).toMatchObject({
      bornAt: '2026-01-01T00:00:00.000Z',
      startedAt: '2026-03-01T00:00:00.000Z',
    });
  });

  test.each([
    ['Client.UserInitiatedShutdown', 'user'],
    ['Client.InstanceInitiatedShutdown', 'self'],
    ['Server.ScheduledStop', 'cloud'],
    ['Server.InsufficientInstanceCapacity', 'cloud'],
    ['Client.InternalError', 'cloud'],
    ['Client.VolumeLimitExceeded', 'cloud'],
  ])('that %s stopped was stopped by: %s', (Code, cause) => {
    expect(causeOf({ StateReason: { Code } })).toBe(cause);
  });

  test('of which EC2 gives the reason only in passing', () => {
    expect(causeOf({ StateTransitionReason: 'User initiated (2026-01-01 00:00:00 GMT)' })).toBe('user');
    expect(causeOf({ StateTransitionReason: 'Server.SpotInstanceShutdown: …' })).toBe('cloud');
  });
});

describe('twins', () => {
  const twin = (id: string, bornAt: string, state: Ec2Instance['state'] = 'running', nonce = 'n') => ({
    ...(instanceOf(seen({ InstanceId: id })) as Ec2Instance),
    bornAt,
    state,
    tags: { ...TAGS, nonce },
  });

  test('the oldest counts, whatever became of it; of one age the ID decides', () => {
    const twins = [twin('i-3', '2026-01-02'), twin('i-2', '2026-01-01', 'terminated'), twin('i-1', '2026-01-02')];
    expect(oldestFirst(twins).map(({ id }) => id)).toEqual(['i-2', 'i-1', 'i-3']);
  });

  test('that are gone are not shown beside the one that counts; that still run are', () => {
    const all = [
      twin('i-1', '2026-01-01'),
      twin('i-2', '2026-01-02', 'terminated'),
      twin('i-3', '2026-01-03'),
      twin('i-4', '2026-01-01', 'terminated', 'other'),
    ];
    expect(withoutGoneTwins(all).map(({ id }) => id)).toEqual(['i-1', 'i-3', 'i-4']);
  });
});
