import { reasonOf } from '../src/errors.js';
import { log } from '../src/log/log.js';
import type { EnvironmentRecord } from '../src/store/store.js';
import type { Temporal } from '../src/temporal/connect.js';
import { environmentKey, taskQueues, workflowIds } from '../src/temporal/names.js';
import { isController } from '../src/temporal/watches.js';

/** Temporal goes on showing who polled; one that is there asks again within a minute. */
const POLLED_MS = 75_000;
/** How old an answer may be: each costs three small questions. */
const ASK_MS = 5_000;
/** An operator's machine does what only it can (the token of machine 0), and ends what ends the controllers. */
const OPERATORS: ReadonlySet<string> = new Set(['bootstrap', 'destroy', 'recover']);
/** temporal.api.enums.v1.TaskQueueType */
const ACTIVITIES = 2;

/**
 * Whether an operator's machine is to work for an environment. Where machines may ask the cloud themselves it leaves the
 * queues once a controller works there: it may be asleep tomorrow, and its credentials expire. It comes back when no
 * controller is there any more, or for a change that takes an operator's machine.
 */
export class Needed {
  readonly #known = new Map<string, { readonly at: number; readonly needed: boolean }>();

  constructor(private readonly temporal: Temporal) {}

  async isNeeded({ name, uuid, cloud }: EnvironmentRecord): Promise<boolean> {
    if (cloud === 'local') return true;
    const key = environmentKey(name, uuid);
    const known = this.#known.get(key);
    if (known !== undefined && performance.now() - known.at < ASK_MS) return known.needed;
    const needed = await this.#ask(key).catch((error) => {
      log().warn(`Temporal did not say who works for ${name}: ${reasonOf(error)}`);
      // Whoever is there stays, in the middle of what it does.
      return known?.needed ?? true;
    });
    this.#known.set(key, { at: performance.now(), needed });
    return needed;
  }

  async #ask(key: string): Promise<boolean> {
    return (await this.#operatorsRuns(key)) || !(await this.#controllerPolls(key));
  }

  async #operatorsRuns(key: string): Promise<boolean> {
    const runs = await Promise.all(
      [workflowIds.bootstrap(key), workflowIds.membership(key)].map((id) => this.#runs(id)),
    );
    return runs.some((type) => type !== null && OPERATORS.has(type));
  }

  /** The type of what runs under an ID. */
  async #runs(id: string): Promise<string | null> {
    try {
      const { status, type } = await this.temporal.client.workflow.getHandle(id).describe();
      return status.name === 'RUNNING' ? type : null;
    } catch (error) {
      if (error instanceof Error && error.name === 'WorkflowNotFoundError') return null;
      throw error;
    }
  }

  async #controllerPolls(key: string): Promise<boolean> {
    const { connection, namespace } = this.temporal;
    const taskQueue = { name: taskQueues.cloud(key) };
    const { pollers } = await connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue,
      taskQueueType: ACTIVITIES,
    });
    return (pollers ?? []).some(
      ({ identity, lastAccessTime }) =>
        isController(identity ?? '') && Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1000 < POLLED_MS,
    );
  }
}
