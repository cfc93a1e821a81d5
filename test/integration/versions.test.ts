/** A change whose version has no worker any more, on a real Temporal: `moveStranded` takes it to the build that is there. */
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Engine, ensureEngine } from '../../src/engine/engine.js';
import { buildId, builtFile } from '../../src/package.js';
import { dirsOf } from '../../src/store/dirs.js';
import { progressOf, startChange } from '../../src/temporal/changes.js';
import { connectTemporal, type Temporal } from '../../src/temporal/connect.js';
import { deploymentName, taskQueues, workflowIds } from '../../src/temporal/names.js';
import { makeCurrent, moveStranded } from '../../workers/versions.js';
import { connectWorkers, prepareRuntime, startWorkers } from '../../workers/worker.js';
import { Home, until } from '../support/home.js';

const OLD = '0.0.1-000000000000';
const key = 'gone-00000000';
const workflows = { name: taskQueues.workflows(key), activities: {}, workflows: true };

let home: Home;
let engine: Engine;
let temporal: Temporal;

beforeAll(async () => {
  prepareRuntime();
  home = new Home();
  engine = await ensureEngine(dirsOf(home.env));
  temporal = await connectTemporal({ target: engine.connection });
}, 120_000);
afterAll(async () => {
  await temporal?.connection.close();
  await home?.close();
}, 60_000);

test('a pinned change whose worker is gone is moved, begins its loop again and answers; it is moved once', async () => {
  const connection = await connectWorkers(engine.connection);
  const { client, namespace } = temporal;
  try {
    const old = await Worker.create({
      connection,
      namespace,
      taskQueue: workflows.name,
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
    // Its first step waits for a controller, of which there is none.
    const environment = { name: 'gone', uuid: '00000000-0000-4000-8000-000000000000' };
    const input = { environment, key, by: 'ana', ui: '', searchable: false, cloud: 'local', region: '', force: false };
    const { handle, runId: first } = await startChange(temporal, 'destroy', input);
    await until('its first step', async () => (await progressOf(handle))?.steps.length);
    expect(await moveStranded(client, key)).toEqual([]);
    old.shutdown();
    await running;

    const workers = await startWorkers(connection, namespace, key, [workflows]);
    try {
      await makeCurrent(client, key, AbortSignal.timeout(30_000));
      const moved = await until('the change to be moved', async () => {
        const moved = await moveStranded(client, key);
        return moved.length > 0 && moved;
      });
      expect(moved).toEqual([workflowIds.membership(key)]);
      const now = client.workflow.getHandle(workflowIds.membership(key));
      const progress = await until('the new worker to answer for it', () => progressOf(now));
      expect(progress.steps[0]?.text).toBe('say that the environment is dying');
      const { raw, runId } = await now.describe();
      expect(raw.workflowExecutionInfo?.versioningInfo?.versioningOverride?.pinned?.version?.buildId).toBe(buildId());
      expect(runId).not.toBe(first);
      expect(await moveStranded(client, key)).toEqual([]);
    } finally {
      await workers.stop();
    }
  } finally {
    await connection.close();
  }
});
