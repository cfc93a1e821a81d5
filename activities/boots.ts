import { log } from '@temporalio/activity';
import type { Cloud, Instance } from '../src/cloud/cloud.js';
import { reasonOf } from '../src/errors.js';

/** Whatever boots for longer than this is told of as it was told of last. */
const YOUNG_MS = 30 * 60_000;
/** So many consoles are read in a round at most, of the youngest: each is a call that the cloud counts. */
const MOST = 20;
/** A console is read so often, and first when a boot takes longer than that: what fails there stays, and is known within a minute. */
const READ_MS = 30_000;

type Young = Pick<Instance, 'id' | 'state' | 'startedAt' | 'tags'>;

/** What is known of a boot. */
interface Reading {
  /** When its console is read next, by this process's monotonic clock. */
  readonly dueAt: number;
  readonly fault: string;
}

/** Why machines that were started a while ago do not come up, by their consoles. */
export class Boots {
  /** Instances whose agent was started: their consoles are read no more. */
  readonly #booted = new Set<string>();
  readonly #readings = new Map<string, Reading>();

  /** @param now milliseconds of a clock that never goes back */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Sentences by instance ID; an empty one for who boots, or has booted of late, with nothing wrong. */
  async faults(cloud: Cloud, instances: readonly Young[]): Promise<ReadonlyMap<string, string>> {
    if (cloud.boot === undefined) return new Map();
    const faults = new Map<string, string>();
    for (const { id } of young(instances, Date.now())) {
      faults.set(id, this.#booted.has(id) ? '' : await this.#fault(cloud, id));
    }
    const now = this.now();
    // Those of other environments stay: each is looked at in its turn.
    for (const [id, { dueAt }] of this.#readings) if (now - dueAt > YOUNG_MS) this.#readings.delete(id);
    return faults;
  }

  async #fault(cloud: Cloud, id: string): Promise<string> {
    const now = this.now();
    const { dueAt, fault } = this.#readings.get(id) ?? { dueAt: now + READ_MS, fault: '' };
    const reading = now < dueAt ? { dueAt, fault } : { dueAt: now + READ_MS, fault: await this.#read(cloud, id) };
    this.#readings.set(id, reading);
    return reading.fault;
  }

  async #read(cloud: Cloud, id: string): Promise<string> {
    try {
      const { fault = '', done = false } = (await cloud.boot?.(id)) ?? {};
      if (done) this.#booted.add(id);
      return fault;
    } catch (error) {
      log.warn('a console cannot be read', { instance: id, reason: reasonOf(error) });
      return '';
    }
  }
}

/** Those that run and were started a while ago, the youngest first. Pure. */
export function young<I extends Young>(instances: readonly I[], now: number): readonly I[] {
  return instances
    .filter(({ state, startedAt }) => state === 'running' && now - Date.parse(startedAt) < YOUNG_MS)
    .sort((a, b) => b.startedAt.localeCompare(a.startedAt))
    .slice(0, MOST);
}
