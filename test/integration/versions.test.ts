/** Another version takes over, on a real Temporal: no change waits for ever for workers that are gone, and singletons move on. */
import { type NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Engine, ensureEngine } from '../../src/engine/engine.js';
import { goalToRestore } from '../../src/membership/goal.js';
import { buildId, builtFile } from '../../src/package.js';
import { dirsOf } from '../../src/store/dirs.js';
import { type ChangeInputs, progressOf, type StartedChange, startChange } from '../../src/temporal/changes.js';
import { connectTemporal, type Temporal } from '../../src/temporal/connect.js';
import {
  deploymentName,
  HANDED_OVER,
  SINGLETONS,
  type Singleton,
  taskQueues,
  workflowIds,
} from '../../src/temporal/names.js';
import { currentBuild, workersOf } from '../../src/temporal/pollers.js';
import { ensureSingletons } from '../../src/temporal/singletons.js';
import { makeCurrent, moveStranded, Vacancy } from '../../workers/versions.js';
import { connectWorkers, prepareRuntime, startWorkers } from '../../workers/worker.js';
import { Needed } from '../../workers/yielding.js';
import { Home, until } from '../support/home.js';

const OLD = '0.0.1-000000000000';
const environment = { name: 'gone', uuid: '00000000-0000-4000-8000-000000000000' };
const queue = (key: string) => ({ name: taskQueues.workflows(key), activities: {}, workflows: true });
const inputOf = (key: string) => ({ environment, key, by: 'ana', ui: '', searchable: false });

let home: Home;
let engine: Engine;
let temporal: Temporal;
let connection: NativeConnection;

beforeAll(async () => {
  prepareRuntime();
  home = new Home();
  // By the command line, so that all of it belongs to the home and ends with it.
  await home.ok('engine', 'start');
  engine = await ensureEngine(dirsOf(home.env));
  temporal = await connectTemporal({ target: engine.connection });
  connection = await connectWorkers(engine.connection);
}, 120_000);
afterAll(async () => {
  await connection?.close();
  await temporal?.connection.close();
  await home?.close();
}, 60_000);

/** Begins something on an old version, whose only worker then leaves. */
async function onOld<T>(key: string, begin: () => Promise<T>): Promise<T> {
  const { client, namespace } = temporal;
  const old = await Worker.create({
    connection,
    namespace,
    taskQueue: queue(key).name,
    workflowBundle: { codePath: builtFile('workflow-bundle.js') },
    workerDeploymentOptions: {
      version: { deploymentName: deploymentName(key), buildId: OLD },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'PINNED',
    },
    shutdownForceTime: '2s',
  });
  const running = old.run();
  await until('the old version to be current', async () => {
    const version = { namespace, deploymentName: deploymentName(key), buildId: OLD };
    await client.workflowService.setWorkerDeploymentCurrentVersion({ ...version, ignoreMissingTaskQueues: true });
    return true;
  });
  const begun = await begin();
  expect(await moveStranded(client, key)).toEqual([]);
  old.shutdown();
  await running;
  return begun;
}

/** A change whose first step waits for a controller; there is none. */
const startOnOld = <T extends keyof ChangeInputs>(
  key: string,
  type: T,
  input: ChangeInputs[T],
): Promise<StartedChange> =>
  onOld(key, async () => {
    const change = await startChange(temporal, type, input);
    await until('its first answer', () => progressOf(change.handle));
    return change;
  });

async function withNew(key: string, work: () => Promise<void>): Promise<void> {
  const workers = await startWorkers(connection, temporal.namespace, key, [queue(key)], 'test');
  try {
    await makeCurrent(temporal.client, key, AbortSignal.timeout(30_000));
    await work();
  } finally {
    await workers.stop();
  }
}

test('a pinned change whose worker is gone is moved, begins its loop again and answers; it is moved once', async () => {
  const key = 'gone-00000000';
  const input = { ...inputOf(key), goal: goalToRestore(3), from: 1 };
  const { runId: first } = await startOnOld(key, 'enableHa', input);
  await withNew(key, async () => {
    const moved = await until('the change to be moved', async () => {
      const moved = await moveStranded(temporal.client, key);
      return moved.length > 0 && moved;
    });
    expect(moved).toEqual([workflowIds.membership(key)]);
    const now = temporal.client.workflow.getHandle(workflowIds.membership(key));
    const progress = await until('the new worker to answer for it', () => progressOf(now));
    expect(progress.kind).toBe('enable-ha');
    const { raw, runId } = await now.describe();
    expect(raw.workflowExecutionInfo?.versioningInfo?.versioningOverride?.pinned?.version?.buildId).toBe(buildId());
    expect(runId).not.toBe(first);
    expect(await moveStranded(temporal.client, key)).toEqual([]);
  });
});

test('the end of an environment goes on where it stood, as soon as the new version is current', async () => {
  const key = 'gone-00000001';
  const input = { ...inputOf(key), cloud: 'local', region: '', force: true };
  const { runId: first, handle } = await startOnOld(key, 'destroy', input);
  await withNew(key, async () => {
    await until('its next step', async () => {
      const { steps } = (await progressOf(handle)) ?? { steps: [] };
      return steps.some(({ text, state }) => text === 'end the singletons' && state !== 'next') && steps;
    });
    // A slow machine lets the old version come that far: the new one has it with its next task.
    const runId = await until('the new version to have it', async () => {
      const { raw, runId } = await temporal.client.workflow.getHandle(workflowIds.membership(key)).describe();
      return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId === buildId() && runId;
    });
    expect(runId).toBe(first);
  });
});

test('singletons go on in the new version with whatever wakes them next, each in the run that it is in', async () => {
  const key = 'gone-00000002';
  const { client } = temporal;
  const run = async (name: Singleton) => {
    const { raw, runId } = await client.workflow.getHandle(workflowIds.singleton(key, name)).describe();
    const { deploymentVersion, behavior } = raw.workflowExecutionInfo?.versioningInfo ?? {};
    return { runId, build: deploymentVersion?.buildId, behavior, waits: (raw.pendingActivities ?? []).length > 0 };
  };
  const before = await onOld(key, async () => {
    await ensureSingletons(client, { name: 'gone', uuid: '00000002-0000-4000-8000-000000000000' });
    return await Promise.all(
      SINGLETONS.map((name) => until(`${name} to wait for work`, async () => (await run(name)).waits && run(name))),
    );
  });
  expect(before.map(({ build }) => build)).toEqual(SINGLETONS.map(() => OLD));
  await withNew(key, async () => {
    for (const [index, name] of SINGLETONS.entries()) {
      const handle = client.workflow.getHandle(workflowIds.singleton(key, name));
      await handle.signal(HANDED_OVER, {});
      const now = await until(`${name} in the new version`, async () => {
        const seen = await run(name);
        return seen.build === buildId() && seen;
      });
      expect(now).toMatchObject({ runId: before[index]?.runId, waits: true });
      const { events } = await handle.fetchHistory();
      expect(events?.filter(({ workflowTaskFailedEventAttributes: failed }) => failed)).toEqual([]);
    }
  });
});

test('an operator’s machine of another version takes nothing from controllers, and stays where none serves what is current', async () => {
  const uuid = '0000000a-0000-4000-8000-000000000000';
  const key = 'gone-0000000a';
  const record = {
    ...{ name: 'gone', uuid, cloud: 'ec2', region: 'eu-west-1', url: '', createdAt: '' },
    ...{ addresses: { version: 0, servers: [] }, temporal: { address: '', namespace: 'default' } },
  } as const;
  const { client, namespace } = temporal;
  const worker = (taskQueue: string, what: Partial<Parameters<typeof Worker.create>[0]>) =>
    Worker.create({ connection, namespace, taskQueue, identity: '1@machine 0', shutdownForceTime: '2s', ...what });
  const version = { deploymentName: deploymentName(key), buildId: OLD };
  const controller = await Promise.all([
    worker(taskQueues.workflows(key), {
      workflowBundle: { codePath: builtFile('workflow-bundle.js') },
      workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' },
    }),
    worker(taskQueues.cloud(key), { activities: { ask: async () => undefined } }),
  ]);
  const running = controller.map((worker) => worker.run());
  await until('the controllers’ version to be current', async () => {
    await client.workflowService.setWorkerDeploymentCurrentVersion({ namespace, ...version });
    return true;
  });
  const vacancy = new Vacancy(client, key);
  const operator = await startWorkers(connection, namespace, key, [queue(key)], 'engine');
  try {
    await until('both to poll', async () => !(await new Needed(temporal).isNeeded(record)));
    expect(await vacancy.isFree(0)).toBe(false);
    expect(await vacancy.isFree(3_600_000)).toBe(false);
    expect(await currentBuild(client, key)).toBe(OLD);

    // As after a recovery by this version, while nobody was there.
    await makeCurrent(client, key, AbortSignal.timeout(30_000));
    expect(await currentBuild(client, key)).toBe(buildId());
    expect(await new Needed(temporal).isNeeded(record)).toBe(true);
  } finally {
    await operator.stop();
    for (const worker of controller) worker.shutdown();
    await Promise.all(running);
  }
});

test('where nobody serves the current version an operator’s machine may take over, after a while', async () => {
  const key = 'gone-0000000b';
  const vacancy = new Vacancy(temporal.client, key);
  expect(await vacancy.isFree(0)).toBe(true);
  await withNew(key, async () => {
    expect(await vacancy.isFree(0)).toBe(true);
    await temporal.client.workflowService.setWorkerDeploymentCurrentVersion({
      ...{ namespace: temporal.namespace, deploymentName: deploymentName(key), buildId: OLD },
      ...{ allowNoPollers: true, ignoreMissingTaskQueues: true },
    });
    const free = [];
    for (const now of [1_000, 30_999, 31_000]) free.push(await vacancy.isFree(now));
    expect(free).toEqual([false, false, true]);
  });
});

test('whoever asks for work is seen, whichever partitions of the queue are asked', async () => {
  const key = 'gone-0000000c';
  const name = taskQueues.workflows(key);
  const { client, namespace } = temporal;
  const identities = [...'abcdefgh'];
  const over = new AbortController();
  const deploymentOptions = { deploymentName: deploymentName(key), buildId: OLD, workerVersioningMode: 2 };
  const request = { namespace, taskQueue: { name }, deploymentOptions };
  // One question each, which goes to one partition.
  const asking = identities.map((identity) =>
    client.connection.withAbortSignal(over.signal, () =>
      client.connection.withDeadline(Date.now() + 90_000, () =>
        client.workflowService.pollWorkflowTaskQueue({ ...request, identity }),
      ),
    ),
  );
  // Ended with the test.
  for (const each of asking) each.catch(() => undefined);
  try {
    await until('the version to be known', async () => {
      const version = { namespace, deploymentName: deploymentName(key), buildId: OLD };
      await client.workflowService.setWorkerDeploymentCurrentVersion({ ...version, ignoreMissingTaskQueues: true });
      return true;
    });
    await until('all of them to be seen', async () => {
      const { current, pollers } = await workersOf(client, key);
      expect(current).toBe(OLD);
      expect(pollers.map(({ identity, build }) => `${identity} ${build}`).sort()).toEqual(
        identities.map((identity) => `${identity} ${OLD}`),
      );
      return true;
    });
  } finally {
    over.abort();
  }
});
