/** The Temporal of an environment is lost, or left for another one: `quorate engine adopt`. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { databaseFile } from '../../src/engine/server.js';
import { splitPem } from '../../src/pki/certificate.js';
import { writeEvidence } from '../../src/state/evidence.js';
import { openState, type State } from '../../src/state/state.js';
import { connectTemporal } from '../../src/temporal/connect.js';
import { environmentKey, taskQueues } from '../../src/temporal/names.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';
import { ownTemporal } from '../support/temporal.js';

let env: TestEnvironment;
let state: State;
let key = '';

beforeAll(async () => {
  env = await TestEnvironment.bootstrap(3);
  const { environment, controllers } = await env.status();
  key = environmentKey(environment.name, environment.uuid);
  // As a controller's worker logs in.
  const disk = join(env.store.dirs.localCloud, environment.uuid, controllers[0]?.instance ?? '', 'disk');
  const [ca, own] = await Promise.all(
    ['identity/ca.crt', 'controller/state.pem'].map((file) => readFile(join(disk, file), 'utf8')),
  );
  state = await openState({
    hosts: controllers.map(({ mongo }) => mongo),
    tls: { ca: ca ?? '', ...splitPem(own ?? '') },
  });
}, 300_000);
afterAll(async () => {
  await state?.close();
  await env?.close();
}, 120_000);

test('the database of the embedded one is lost: changes are refused with what to type, the environment serves on', async () => {
  await env.home.ok('engine', 'stop');
  for (const end of ['', '-shm', '-wal']) await rm(`${databaseFile(env.store.dirs)}${end}`, { force: true });
  await env.home.ok('engine', 'start');
  const { code, stderr } = await env.home.run('enable-ha', '-n', '5');
  expect(stderr).toMatch(/cannot run here.*its database was lost/s);
  expect(stderr).toMatch(/quorate engine adopt -e demo/);
  expect(code).toBe(1);
  const destroyed = await env.home.run('destroy-environment', 'demo', '--yes');
  expect(destroyed.stderr).toMatch(/quorate engine adopt -e demo/);
  expect((await env.status()).ha.healthyVoters).toBe(3);
});

test('adopted, every controller changes over, one that was frozen meanwhile as well; the old epoch is refused', async () => {
  const before = (await state.environment.findOne({}))?.epoch ?? 0;
  await writeEvidence(state, { epoch: before }, 0, []);
  const frozen = await env.pidOf('1', 'worker');
  process.kill(frozen, 'SIGSTOP');
  try {
    expect(await env.home.ok('engine', 'adopt')).toMatch(/demo is moved: .*, epoch 2\. Changes run here from now on\./);
  } finally {
    process.kill(frozen, 'SIGCONT');
  }
  await expect(writeEvidence(state, { epoch: before }, 0, [])).rejects.toMatchObject({ code: 'wrong-epoch' });
  await writeEvidence(state, { epoch: before + 1 }, 0, []);
  await everyControllerPolls();
  await env.home.ok('disable-ha');
  await env.whole(1);
}, 400_000);

test('moved to another Temporal: its changes run there, and from where it was they are refused', async () => {
  const { address, server } = await ownTemporal(env.home);
  try {
    expect((await env.home.run('enable-ha')).stderr).toMatch(/belongs to the Temporal at .*quorate engine adopt/s);
    expect(await env.home.ok('engine', 'adopt')).toMatch(/demo is moved: .*, epoch 3\./);
    await env.home.ok('enable-ha');
    await env.whole(3);
    const again = await env.home.ok('engine', 'adopt');
    expect(again).toMatch(/stays in this Temporal.*, epoch 4\./);
    delete env.home.env.TEMPORAL_ADDRESS;
    expect((await env.home.run('disable-ha')).stderr).toMatch(/belongs to the Temporal at/);
    expect(await env.lost()).toEqual([]);
    expect(env.writer.errors).toEqual([]);
    env.home.env.TEMPORAL_ADDRESS = address;
    await env.home.ok('destroy-environment', 'demo', '--yes');
  } finally {
    server.kill('SIGKILL');
  }
}, 600_000);

/** The workers of all controllers poll the Temporal that the engine runs now. */
async function everyControllerPolls(): Promise<void> {
  const record = await env.store.readEnvironment('demo');
  const { address = '', namespace = '' } = record?.temporal ?? {};
  const { client, connection } = await connectTemporal({ target: { address, namespace } });
  try {
    await until(
      'a poller of each controller',
      async () => {
        const { controllers } = await env.status();
        const { pollers } = await client.workflowService.describeTaskQueue({
          namespace,
          taskQueue: { name: taskQueues.network(key) },
          taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        });
        const pids = pollers?.map(({ identity }) => Number(identity?.split('@')[0])) ?? [];
        return controllers.every(({ services }) => pids.includes(services?.worker?.pid ?? 0));
      },
      120,
    );
  } finally {
    await connection.close();
  }
}
