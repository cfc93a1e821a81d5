import { afterAll, beforeAll, expect, test } from 'vitest';
import { engineConnection } from '../../src/engine/engine.js';
import { connectTemporal, type Temporal } from '../../src/temporal/connect.js';
import { timeOf } from '../../src/temporal/hand-overs.js';
import { environmentKey, workflowIds } from '../../src/temporal/names.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';

/** An environment whose watches are to heartbeat rarely, as where heartbeats are billed. */
let env: TestEnvironment;
let temporal: Temporal;
let key = '';

beforeAll(async () => {
  env = await TestEnvironment.bootstrap(1, ['takeover=20s']);
  temporal = await connectTemporal({ target: (await engineConnection(env.store.dirs)).connection });
  const { environment } = await env.status();
  key = environmentKey(environment.name, environment.uuid);
}, 180_000);
afterAll(async () => {
  await temporal?.connection.close();
  await env?.close();
}, 60_000);

const handleOf = (name: 'provisioner' | 'sentinel') =>
  temporal.client.workflow.getHandle(workflowIds.singleton(key, name));
const pending = async (name: 'provisioner' | 'sentinel', type: string) => {
  const { raw } = await handleOf(name).describe();
  return raw.pendingActivities?.find(({ activityType }) => activityType?.name === type);
};
/** Seconds after which the watch that runs is given up, by its history. */
const timeoutOf = async (name: 'provisioner' | 'sentinel', type: string) => {
  const { events } = await handleOf(name).fetchHistory();
  const scheduled = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: event }) => event ?? []);
  return Number(scheduled.findLast(({ activityType }) => activityType?.name === type)?.heartbeatTimeout?.seconds);
};

test('watches are given as much time as the setting says, and heartbeat as rarely as that allows', async () => {
  await until('the watches to be under way', async () => (await pending('sentinel', 'followInstances')) !== undefined);
  expect(await timeoutOf('provisioner', 'followWork')).toBe(10);
  expect(await timeoutOf('sentinel', 'watchEvidence')).toBe(10);
  expect(await timeoutOf('sentinel', 'followInstances')).toBe(20);
  expect(await timeoutOf('provisioner', 'findLeftovers')).toBe(20);

  const heard: number[] = [];
  await until('three heartbeats of one watch', async () => {
    const at = (await pending('provisioner', 'followWork'))?.lastHeartbeatTime;
    if (at && timeOf(at) !== heard.at(-1)) heard.push(timeOf(at));
    return heard.length === 3;
  });
  const [, second = 0, third = 0] = heard;
  expect(third - second).toBeGreaterThan(1_000);
});

test('a watch whose worker has died is taken over all the same', async () => {
  const before = await pending('provisioner', 'followWork');
  process.kill(await env.pidOf('0', 'worker'), 'SIGKILL');
  await until('another worker to have the watch', async () => {
    const now = await pending('provisioner', 'followWork');
    return now?.activityId === before?.activityId && (now?.attempt ?? 0) > 1 && now?.state === 2;
  });
  expect((await pending('provisioner', 'followWork'))?.lastWorkerIdentity).not.toBe(before?.lastWorkerIdentity);
  await env.home.ok('add-machine');
  await until('machine 1 to be started', async () => (await env.home.ok('machines')).includes('started'));
});

test('what is out of bounds is refused', async () => {
  const { code, stderr } = await env.home.run('config', 'takeover=1s');
  expect([code, stderr]).toEqual([1, expect.stringContaining('between 3s and 5m')]);
});
