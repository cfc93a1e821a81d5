import { isDeepStrictEqual } from 'node:util';
import { QuorateError } from '../../errors.js';
import { groupOf, type InstanceGroup, instanceOf, type LocalInstance, leftoverProblem } from './group.js';
import { listProcesses, type ProcessSeen } from './processes.js';
import { type InstanceRecord, type Loaded, type Records, unknownInstance } from './records.js';

/** An instance as ordered and as it is. */
export interface Known {
  readonly record: InstanceRecord;
  readonly group: InstanceGroup;
}

/** How often a reader starts over because an instance changed under its eyes. */
const ATTEMPTS = 20;

/** The records of an environment's instances and the processes that belong to the same moment. */
export async function observeAll(records: Records, environment: string) {
  return observe(() => records.loadAll(environment));
}

export async function observeOne(records: Records, environment: string, id: string) {
  return observe(() => records.load(environment, id));
}

/**
 * A record and the processes are two reads: between them another command may have stopped the instance, which would then
 * look as if it had died by itself. So the record must be the same before and after.
 */
async function observe<T>(load: () => Promise<T>): Promise<{ loaded: T; processes: readonly ProcessSeen[] }> {
  let loaded = await load();
  for (let attempt = 1; ; attempt += 1) {
    const processes = await listProcesses();
    const after = await load();
    if (isDeepStrictEqual(after, loaded) || attempt === ATTEMPTS) return { loaded, processes };
    loaded = after;
  }
}

export function known(record: InstanceRecord, processes: readonly ProcessSeen[]): Known {
  return { record, group: groupOf(record.instance, record.process, processes) };
}

export function show({ record, group }: Known): LocalInstance {
  return instanceOf(record, group);
}

/** The record, or why there is none that could be acted on. */
export function sound(id: string, loaded: Loaded): InstanceRecord {
  if (loaded.kind === 'sound') return loaded.record;
  if (loaded.kind === 'none') throw unknownInstance(id);
  throw new QuorateError('damaged-instance', `instance ${id} cannot be read: ${loaded.damage}`, {
    todo: `start its machine again, which repairs it, or remove it: quorate cloud terminate ${id}`,
  });
}

/** In words, what is wrong with an instance. */
export function problemsOf(id: string, loaded: Loaded, processes: readonly ProcessSeen[]): string[] {
  if (loaded.kind === 'none') return [];
  if (loaded.kind === 'damaged') return [loaded.damage];
  const { record, group } = known(loaded.record, processes);
  const leftover = leftoverProblem(id, record, group);
  return [...(loaded.damage === '' ? [] : [loaded.damage]), ...(leftover === null ? [] : [leftover])];
}
