import { reasonOf } from '../src/errors.js';
import { log } from '../src/log/log.js';
import type { EnvironmentRecord } from '../src/store/store.js';
import type { Temporal } from '../src/temporal/connect.js';
import { environmentKey, taskQueues, workflowIds } from '../src/temporal/names.js';
import { isThere, type Poller, pollersOf, workersOf } from '../src/temporal/pollers.js';
import { isController } from '../src/temporal/watches.js';

/** How old an answer may be: each costs seven small questions at most. */
const ASK_MS = 5_000;
/** An operator's machine does what only it can (the token of machine 0), and ends what ends the controllers. */
const OPERATORS: ReadonlySet<string> = new Set(['bootstrap', 'destroy', 'recover']);

/** Whether an operator's machine may leave an environment to its controllers: on the local cloud it alone has the instances. */
export const mayLeave = ({ cloud }: Pick<EnvironmentRecord, 'cloud'>): boolean => cloud !== 'local';

/**
 * Whether an operator's machine is to work for an environment. Where machines may ask the cloud themselves it leaves the
 * queues once a controller works there: it may be asleep tomorrow, and its credentials expire. It comes back when no
 * controller is there any more, or for a change that takes an operator's machine; and it stays where runs go to a version that
 * no controller serves.
 */
export class Needed {
  readonly #known = new Map<string, { readonly at: number; readonly needed: boolean }>();

  constructor(private readonly temporal: Temporal) {}

  async isNeeded(record: EnvironmentRecord): Promise<boolean> {
    if (!mayLeave(record)) return true;
    const { name, uuid } = record;
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
    return (await this.#operatorsRuns(key)) || !(await this.#controllersServe(key));
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

  /** Whether some of them ask the cloud, and some work at the version that runs go to. */
  async #controllersServe(key: string): Promise<boolean> {
    const { client } = this.temporal;
    const controllers = (pollers: readonly Poller[]) =>
      pollers.filter((poller) => isThere(poller) && isController(poller.identity));
    const asking = controllers(await pollersOf(client, taskQueues.cloud(key), 'activities'));
    if (asking.length === 0) return false;
    const { current, pollers } = await workersOf(client, key);
    return controllers(pollers).some(({ build }) => build === current);
  }
}
