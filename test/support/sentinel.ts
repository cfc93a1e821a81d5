import type { WorkflowHandle } from '@temporalio/client';
import { ensureEngine } from '../../src/engine/engine.js';
import { connectTemporal } from '../../src/temporal/connect.js';
import { environmentKey, workflowIds } from '../../src/temporal/names.js';
import type { TestEnvironment } from './environment.js';
import { until } from './home.js';

/** The sentinel of an environment, as Temporal shows it. */
export class Sentinel {
  private constructor(
    private readonly environment: TestEnvironment,
    readonly handle: WorkflowHandle,
    readonly close: () => Promise<void>,
  ) {}

  static async of(environment: TestEnvironment): Promise<Sentinel> {
    const engine = await ensureEngine(environment.store.dirs);
    const { client, connection } = await connectTemporal({ target: engine.connection });
    const record = await environment.store.readEnvironment('demo');
    const id = workflowIds.singleton(environmentKey('demo', record?.uuid ?? ''), 'sentinel');
    return new Sentinel(environment, client.workflow.getHandle(id), () => connection.close());
  }

  /** The machine whose worker watches at the moment. */
  async machine(): Promise<string> {
    return await until('the sentinel to watch', async () => {
      const { raw } = await this.handle.describe();
      const watch = raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'watchEvidence');
      const pid = Number(watch?.lastWorkerIdentity?.split('@')[0]);
      const { controllers } = await this.environment.status();
      return controllers.find(({ services }) => services.worker?.pid === pid)?.machine;
    });
  }
}
