import { QuorateError, usageError } from '../../errors.js';
import {
  type Conditions,
  cut,
  type Direction,
  EVERYBODY,
  HOST,
  healedFrom,
  linkHealed,
  NO_CONDITIONS,
} from './conditions.js';
import type { LocalInstance } from './group.js';
import type { Instances } from './instances.js';
import { type Known, known, show } from './inventory.js';
import { type Isolation, type Running, refuse } from './isolation.js';
import { isolationOf } from './isolations.js';
import type { Drop } from './namespace/filter.js';
import { listProcesses } from './processes.js';
import type { InstanceRecord } from './records.js';

/**
 * What the control panel does to instances with namespaces that no provider's console can: links cut, slow or lossy, clocks
 * off, disks small or full.
 */
export class Faults {
  readonly #instances: Instances;

  constructor(instances: Instances) {
    this.#instances = instances;
  }

  /** Packets vanish, connections are not reset. `from`: instances' IDs or HOST; default everybody. Adds to earlier cuts. */
  async partition(
    id: string,
    { from, direction = 'both' }: { readonly from?: readonly string[]; readonly direction?: Direction } = {},
  ): Promise<LocalInstance> {
    const environment = await this.#instances.environmentOf(id);
    const ids = (await this.#instances.all(environment)).map(({ instance }) => instance);
    const strange = from?.find((peer) => peer === id || (peer !== HOST && !ids.includes(peer)));
    if (strange !== undefined) {
      const what = strange === id ? 'is the instance itself' : `is no instance of the environment of ${id}`;
      throw usageError('bad-peer', `${strange} ${what}`, `there are: ${[HOST, ...ids].join(', ')}`);
    }
    return this.#change(environment, id, (now) => cut(now, from ?? [EVERYBODY], direction));
  }

  /** The link as new: also the cuts that other instances have from this one are healed. */
  async heal(id: string): Promise<LocalInstance> {
    const environment = await this.#instances.environmentOf(id);
    const healed = await this.#change(environment, id, linkHealed);
    for (const { instance, conditions } of await this.#instances.all(environment)) {
      if (instance === id || !conditions?.cuts.some(({ from }) => from === id)) continue;
      await this.#change(environment, instance, (now) => healedFrom(now, id));
    }
    return healed;
  }

  /** Each way; 0 takes it away. */
  async degrade(
    id: string,
    { delayMs = 0, lossPercent = 0 }: { readonly delayMs?: number; readonly lossPercent?: number },
  ): Promise<LocalInstance> {
    const environment = await this.#instances.environmentOf(id);
    return this.#change(environment, id, (now) => ({ ...now, delayMs, lossPercent }));
  }

  /** From its next start on, its clock is off by so much. */
  async setClock(id: string, offsetMs: number): Promise<LocalInstance> {
    const environment = await this.#instances.environmentOf(id);
    return this.#change(environment, id, (now) => ({ ...now, clockOffsetMs: Math.round(offsetMs) }));
  }

  /** From its next start on, its disk has this size; null: as much as the host has. What is on it is kept. */
  async limitDisk(id: string, bytes: number | null): Promise<LocalInstance> {
    const environment = await this.#instances.environmentOf(id);
    return this.#change(environment, id, (now) => ({ ...now, diskBytes: bytes }));
  }

  /** Takes all the space that is left on a disk of limited size, or gives it back. */
  async setDiskFull(id: string, full: boolean): Promise<LocalInstance> {
    const environment = await this.#instances.environmentOf(id);
    return this.#locked(environment, id, async ({ record, group }) => {
      // Done first: a disk that is not limited yet is refused. When it is not recorded any more, the next start gives it back.
      if (group.leader !== null && record.process !== null) {
        const running = runningOf(this.#instances, record, record.process.group);
        await (await isolationOf(record)).setDiskFull(running, full);
      } else if (full) {
        throw new QuorateError('instance-not-running', `instance ${id} does not run`, { todo: 'start it first' });
      }
      const after = { ...record, conditions: { ...(record.conditions ?? NO_CONDITIONS), diskFull: full } };
      await this.#instances.records.write(after);
      return after;
    });
  }

  /** Recorded first, so that it holds from boot to boot, then made so. */
  async #change(environment: string, id: string, to: (now: Conditions) => Conditions): Promise<LocalInstance> {
    return this.#locked(environment, id, async ({ record: was, group }) => {
      const conditions = to(was.conditions ?? NO_CONDITIONS);
      await (await isolationOf(was)).accept(conditions);
      const record = { ...was, conditions };
      await this.#instances.records.write(record);
      if (group.leader !== null) await linkUp(this.#instances, record, await this.#instances.all(environment));
      return record;
    });
  }

  async #locked(environment: string, id: string, work: (found: Known) => Promise<InstanceRecord>) {
    return this.#instances.locked(environment, id, async (found) => {
      if (found.record.isolation !== 'namespace') refuse(id);
      if (found.record.power === 'terminated') {
        throw new QuorateError('instance-terminated', `instance ${id} is terminated`);
      }
      return show(known(await work(found), await listProcesses()));
    });
  }
}

/** Makes the link of a running instance as it is recorded, whatever it was: the last command may have been killed. */
export async function linkUp(
  instances: Instances,
  record: InstanceRecord,
  all: readonly InstanceRecord[],
): Promise<void> {
  if (record.process === null) return;
  const isolation = await isolationOf(record);
  const { delayMs, lossPercent } = record.conditions ?? NO_CONDITIONS;
  const link = { drops: dropsOf(record, all, isolation), delayMs, lossPercent };
  await isolation.setLink(runningOf(instances, record, record.process.group), link);
}

function runningOf({ records }: Instances, { instance, tags }: InstanceRecord, leader: number): Running {
  const { environment } = tags;
  return { instance, environment, directory: records.directory(environment, instance), leader };
}

/** An instance's cuts by address. A peer that is gone, record and all, has none that anyone would get again. */
export function dropsOf(
  { conditions }: InstanceRecord,
  all: readonly InstanceRecord[],
  { hostAddress }: Isolation,
): Drop[] {
  return (conditions?.cuts ?? []).flatMap(({ from, direction }) => {
    const address =
      from === EVERYBODY ? '*' : from === HOST ? hostAddress : all.find((each) => each.instance === from)?.address;
    return address ? [{ address, direction }] : [];
  });
}
