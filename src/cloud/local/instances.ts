import { type Known, known, observeOne, sound } from './inventory.js';
import { withLock } from './lock.js';
import { type InstanceRecord, Records, unknownInstance } from './records.js';

/** The instances under a root, each with one order at a time. */
export class Instances {
  readonly records: Records;

  constructor(root: string) {
    this.records = new Records(root);
  }

  async environmentOf(id: string): Promise<string> {
    const environment = await this.records.environmentOf(id);
    if (environment === null) throw unknownInstance(id);
    return environment;
  }

  async known(environment: string, id: string): Promise<Known> {
    const { loaded, processes } = await observeOne(this.records, environment, id);
    return known(sound(id, loaded), processes);
  }

  /** The records of an environment's instances that can be read. */
  async all(environment: string): Promise<InstanceRecord[]> {
    return (await this.records.loadAll(environment)).flatMap(({ is }) => (is.kind === 'sound' ? [is.record] : []));
  }

  /**
   * One order at a time for an instance. A leader that runs and is not in the record (its start was interrupted, or the
   * record had to be rebuilt) is written into it first.
   */
  async locked<T>(
    environment: string,
    id: string,
    work: (found: Known, assertHeld: () => void) => Promise<T>,
  ): Promise<T> {
    return withLock(this.records.directory(environment, id), async (assertHeld) => {
      const { record, group } = await this.known(environment, id);
      if (record.process !== null || group.leader === null) return work({ record, group }, assertHeld);
      const { group: leader, startedAt } = group.leader;
      const adopted = { ...record, process: { group: leader, startedAt } };
      await this.records.write(adopted);
      return work({ record: adopted, group }, assertHeld);
    });
  }
}
