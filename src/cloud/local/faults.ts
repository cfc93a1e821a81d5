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
import { type Isolation, refuse } from './isolation.js';
import { isolationOf } from './isolations.js';
import type { Drop } from './namespace/filter.js';
import { listProcesses } from './processes.js';
import type { InstanceRecord } from './records.js';

/**
 * What the control panel does to instances with namespaces that no provider's console can: links cut, slow or lossy, clocks
 * off, disks small or full. It is recorded as wished first, so that it holds from boot to boot; then it is made so.
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
    return this.#change(environment, id, (now) => ({ ...now, diskFull: full }));
  }

  async #change(environment: string, id: string, to: (now: Conditions) => Conditions): Promise<LocalInstance> {
    return this.#instances.locked(environment, id, async (found) => {
      if (found.record.isolation !== 'namespace') refuse(id);
      if (found.record.power === 'terminated') {
        throw new QuorateError('instance-terminated', `instance ${id} is terminated`);
      }
      const before = found.record.conditions ?? NO_CONDITIONS;
      const isolation = await isolationOf(found.record);
      const record = { ...found.record, conditions: to(before) };
      await isolation.accept(record.conditions);
      await this.#instances.records.write(record);
      if (found.group.leader !== null) await this.#apply(environment, { ...found, record }, before, isolation);
      return show(known(record, await listProcesses()));
    });
  }

  /** To a machine that runs. Its link is set whatever it was: the last command may have been killed before it did. */
  async #apply(environment: string, { record }: Known, before: Conditions, isolation: Isolation): Promise<void> {
    const { delayMs, lossPercent, diskFull } = record.conditions ?? NO_CONDITIONS;
    const drops = dropsOf(record, await this.#instances.all(environment), isolation);
    await isolation.setLink(record.instance, { drops, delayMs, lossPercent });
    if (diskFull !== before.diskFull && record.process !== null) {
      await isolation.setDiskFull(
        this.#instances.records.directory(environment, record.instance),
        record.process.group,
        diskFull,
      );
    }
  }
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
