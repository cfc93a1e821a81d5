import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StartRequest } from '../../src/cloud/cloud.js';
import { CALLS, type CallName } from '../../src/cloud/ec2/calls.js';
import { cloudAt, consoleAt } from '../support/ec2.js';
import { ENDING, story } from '../support/ec2-story.js';
import { FaultyMoto } from '../support/faulty-moto.js';
import { DONE, type Fault, type FaultyProxy, NOT_DONE } from '../support/faulty-proxy.js';
import type { Moto } from '../support/moto.js';

/** A busy machine's moto takes a second for some answers. */
const PATIENCE_MS = 3_000;
const NAMES = Object.keys(CALLS).sort() as CallName[];

let faulty: FaultyMoto;
let moto: Moto;
let proxy: FaultyProxy;

beforeAll(async () => {
  faulty = await FaultyMoto.start(PATIENCE_MS + 1_000);
  ({ moto, proxy } = faulty);
  // It reads its instance types with the first call that needs them.
  await cloudAt(moto.endpoint).instanceTypes();
}, 600_000);
afterAll(() => faulty?.stop());
beforeEach(() => faulty.reset());

async function told(decide: FaultyProxy['decide']) {
  proxy.decide = decide;
  const cloud = cloudAt(proxy.endpoint, { patienceMs: PATIENCE_MS });
  const environment = randomUUID();
  try {
    const ending = await story(cloud, consoleAt(moto.endpoint), environment);
    return { ending, calls: [...proxy.calls] };
  } finally {
    cloud.amazon.destroy();
  }
}

test('the story makes every call that the product makes, and so does whoever needs the policy', async () => {
  const { ending, calls } = await told(() => null);
  expect(ending).toEqual(ENDING);
  expect([...new Set(calls)].sort()).toEqual(NAMES);
});

describe('every call fails once', () => {
  test.each([...NOT_DONE, ...DONE])('%s', async (fault: Fault) => {
    // A list that comes late is one that does not come: only what is done meanwhile makes a difference.
    const tried = fault === 'late' ? NAMES.filter((call) => CALLS[call].changes) : NAMES;
    const hit = new Set<string>();
    const { ending } = await told((call, nth) => {
      if (nth > 1 || !tried.some((name) => name === call)) return null;
      hit.add(call);
      return fault;
    });
    expect(ending).toEqual(ENDING);
    expect([...hit].sort()).toEqual(tried);
  });
});

describe('a start', () => {
  const request = (environment: string): StartRequest => ({
    tags: { environment, machine: '0', nonce: randomUUID() },
    userData: 'hello',
    zone: 'eu-west-1a',
  });

  async function started(decide: FaultyProxy['decide'], options: Parameters<typeof cloudAt>[1] = {}) {
    proxy.decide = decide;
    const cloud = cloudAt(proxy.endpoint, { patienceMs: PATIENCE_MS, ...options });
    const asked = request(randomUUID());
    const outcome = await cloud.start(asked).then(
      (instance) => ({ instance, error: null }),
      (error) => ({ instance: null, error }),
    );
    proxy.decide = () => null;
    const there = await cloud.list(asked.tags.environment);
    return { ...outcome, there, cloud, asked, alive: there.filter(({ state }) => state !== 'terminated') };
  }

  const only =
    (name: string, fault: Fault, times = 1): FaultyProxy['decide'] =>
    (call, nth) =>
      call === name && nth <= times ? fault : null;

  test('done twice leaves one, which everybody finds', async () => {
    const { instance, alive, cloud, asked } = await started(only('RunInstances', 'twice'));
    expect(alive.map(({ id }) => id)).toEqual([instance?.id]);
    expect((await cloud.start(asked)).id).toBe(instance?.id);
    expect((await cloud.findByNonce(asked.tags.environment, asked.tags.nonce))?.id).toBe(instance?.id);
  });

  test('whose answer never comes, again and again, is one', async () => {
    const { instance, alive } = await started(only('RunInstances', 'lost', 3));
    expect(alive.map(({ id }) => id)).toEqual([instance?.id]);
  });

  test('whose answer names no instance is asked for again', async () => {
    const { instance, alive } = await started(only('RunInstances', 'hidden'));
    expect(proxy.calls.filter((call) => call === 'RunInstances')).toHaveLength(2);
    expect(alive.map(({ id }) => id)).toEqual([instance?.id]);
  });

  test('in two processes at once leaves one that lives, and both find it from then on', async () => {
    const asked = request(randomUUID());
    const clouds = [cloudAt(moto.endpoint), cloudAt(moto.endpoint), cloudAt(moto.endpoint)];
    await Promise.all(clouds.map((cloud) => cloud.start(asked)));
    const found = await Promise.all(clouds.map((cloud) => cloud.start(asked)));
    expect(new Set(found.map(({ id }) => id)).size).toBe(1);
    const [cloud] = clouds;
    const alive = (await cloud?.list(asked.tags.environment))?.filter(({ state }) => state !== 'terminated');
    expect(alive?.map(({ id }) => id)).toEqual([found[0]?.id]);
  });

  test.each([
    ['InsufficientInstanceCapacity', 'We do not have enough capacity', 'zone-full'],
    ['InsufficientFreeAddressesInSubnet', 'Not enough free addresses', 'zone-full'],
    ['Unsupported', 'not supported in your requested Availability Zone (eu-west-1a)', 'zone-full'],
    ['VcpuLimitExceeded', 'You have requested more vCPU capacity than your limit', 'quota-reached'],
    ['UnauthorizedOperation', 'is not authorized to perform: ec2:RunInstances on', 'not-permitted'],
    ['InvalidAMIID.NotFound', 'The image id does not exist', 'no-image'],
    ['TagLimitExceeded', 'too many tags', 'tags-refused'],
  ])('that EC2 refuses with %s starts nothing and says so', async (code, message, becomes) => {
    const { error, there } = await started(only('RunInstances', { code, message }));
    expect(error).toMatchObject({ name: 'QuorateError', code: becomes });
    expect(there).toEqual([]);
  });

  test('by a group that is not shown yet is tried again', async () => {
    const fault = { code: 'InvalidGroup.NotFound', message: 'The security group does not exist' };
    const { alive } = await started(only('RunInstances', fault, 2));
    expect(alive).toHaveLength(1);
  });

  test('whose token was used with other words finds the instance that came of them', async () => {
    const fault = {
      code: 'IdempotentParameterMismatch',
      message: 'Arguments on this idempotent request are inconsistent',
    };
    // The first is done and its answer lost; the second is held against it, while the instance is not shown yet.
    const { instance, alive } = await started((call, nth) => {
      if (call === 'RunInstances') return nth === 1 ? 'lost' : fault;
      return call === 'DescribeInstances' && nth <= 4 ? 'hidden' : null;
    });
    expect(proxy.calls.filter((call) => call === 'RunInstances')).toHaveLength(2);
    expect(alive.map(({ id }) => id)).toEqual([instance?.id]);
  });

  test('that is not shown yet is what the answer said, and is no lost instance', async () => {
    const { instance, cloud } = await started((call) => (call === 'DescribeInstances' ? 'hidden' : null));
    expect(instance).toMatchObject({ id: expect.stringMatching(/^i-/), zone: 'eu-west-1a' });
    const fault = { code: 'InvalidInstanceID.NotFound', message: 'The instance ID does not exist' };
    proxy.forget();
    proxy.decide = only('DescribeInstances', fault, 2);
    expect((await cloud.describe(instance?.id ?? ''))?.id).toBe(instance?.id);
    expect(proxy.calls).toEqual(['DescribeInstances', 'DescribeInstances', 'DescribeInstances']);
  });

  test('whose token was used up by an instance that is gone says so', async () => {
    const fault = { code: 'IdempotentInstanceTerminated', message: 'the instance was terminated' };
    const { error } = await started(only('RunInstances', fault, 9));
    expect(error).toMatchObject({ code: 'nonce-spent' });
  });

  test('goes on with new credentials when the old ones expire in the middle, and says that it waited for them', async () => {
    const waits: string[] = [];
    let renewed = 0;
    const { alive } = await started(only('RunInstances', { code: 'ExpiredToken', message: 'The token has expired' }), {
      onWait: (sentence) => waits.push(sentence),
      identities: {
        provide: async () => ({ accessKeyId: 'test', secretAccessKey: 'test' }),
        renew: () => {
          renewed += 1;
        },
      },
    });
    expect(alive).toHaveLength(1);
    expect(renewed).toBe(1);
    expect(waits).toEqual([expect.stringMatching(/credentials for Amazon have expired/)]);
  });

  test('with credentials that stay expired says so, and what to do, and starts nothing', async () => {
    const fault = { code: 'RequestExpired', message: 'Request has expired.' };
    const { error, there } = await started(only('RunInstances', fault, 99));
    expect(error).toMatchObject({ code: 'credentials-expired', todo: expect.stringMatching(/aws sso login/) });
    expect(there).toEqual([]);
  });
});

describe('what a quota or a stranger is in the way of', () => {
  const rule = (port: number) => ({ protocol: 'tcp' as const, from: port, to: port, cidrs: ['0.0.0.0/0'] });

  test('a port that cannot be opened is told, and takes no other with it', async () => {
    const cloud = cloudAt(proxy.endpoint);
    const environment = randomUUID();
    const tags = { environment, machine: '0', nonce: randomUUID() };
    const { id } = await cloud.start({ tags, userData: '', zone: 'eu-west-1a' });
    proxy.forget();
    const full = {
      code: 'RulesPerSecurityGroupLimitExceeded',
      message: 'The maximum number of rules has been reached',
    };
    // Both at once are refused, then the first alone.
    proxy.decide = (call, nth) => (call === 'AuthorizeSecurityGroupIngress' && nth <= 2 ? full : null);
    const { failures } = await cloud.firewall.set({ instance: id, version: 1, rules: [rule(80), rule(443)] });
    expect(failures).toEqual([expect.stringMatching(/^80\/tcp: .*security groups or rules/)]);
    expect(await cloud.firewall.open(environment)).toMatchObject([{ version: 1, rules: [rule(443)] }]);
    expect((await cloud.firewall.set({ instance: id, version: 1, rules: [rule(80), rule(443)] })).failures).toEqual([]);
    expect(await cloud.firewall.open(environment)).toMatchObject([{ version: 1, rules: [rule(80), rule(443)] }]);
  });

  test('a bucket of the environment’s name that is somebody else’s is not written to', async () => {
    proxy.decide = (call) =>
      call === 'CreateBucket' ? { code: 'BucketAlreadyExists', message: 'taken', status: 409 } : null;
    const { bucket } = cloudAt(proxy.endpoint);
    await expect(bucket.put(randomUUID(), 'addresses.json', { version: 1 })).rejects.toMatchObject({
      code: 'bucket-taken',
    });
    expect(proxy.calls).not.toContain('PutObject');
  });

  test('something that still uses a group or a disk is waited for', async () => {
    const cloud = cloudAt(proxy.endpoint);
    const environment = randomUUID();
    await cloud.start({ tags: { environment, machine: '0', nonce: randomUUID() }, userData: '', zone: 'eu-west-1a' });
    const held = { code: 'DependencyViolation', message: 'resource has a dependent object' };
    proxy.decide = (call, nth) => (call === 'DeleteSecurityGroup' && nth <= 2 ? held : null);
    await cloud.removeEnvironment(environment);
    expect(proxy.calls.filter((call) => call === 'DeleteSecurityGroup')).toHaveLength(3);
  });
});
