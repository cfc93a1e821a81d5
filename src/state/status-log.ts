import type { ClientSession, FindOptions } from 'mongodb';
import { insertOnce } from './insert-once.js';
import { databaseTime, type State } from './state.js';
import type { StatusDocument, StatusEntry } from './status-documents.js';

/** Of each machine so many entries are kept, the newest, and none for longer than that. */
export const STATUS_KEPT = { perMachine: 200, days: 14 } as const;
/** So many are removed in one transaction. */
const PRUNED_AT_ONCE = 1000;

/** What one machine's agent says. */
export interface Said {
  readonly machine: string;
  readonly entries: readonly StatusEntry[];
}

/** Writes entries that are not there yet. @returns how many MongoDB did not take for entries */
export async function writeStatus(state: State, said: readonly Said[]): Promise<number> {
  const arrivedAt = await databaseTime(state);
  const documents = said.flatMap(({ machine, entries }) =>
    entries.map(({ number, at, what, status, message }) => ({
      _id: `${machine}/${number}`,
      machine,
      number,
      what,
      status,
      message,
      at: new Date(at),
      arrivedAt,
    })),
  );
  return await insertOnce(state.statusLog, documents);
}

/** The latest first, of a machine that may be gone. */
export async function readStatus(
  state: State,
  machine: string,
  limit: number,
  options: FindOptions,
): Promise<StatusDocument[]> {
  return await state.statusLog.find({ machine }, options).sort({ number: -1 }).limit(limit).toArray();
}

/** How many entries there are of each machine that has too many. */
export async function longStatusLogs(state: State): Promise<{ machine: string; entries: number }[]> {
  return await state.statusLog
    .aggregate<{ machine: string; entries: number }>([
      // By the index, which has all that is needed.
      { $sort: { machine: 1, number: -1 } },
      { $group: { _id: '$machine', entries: { $sum: 1 } } },
      { $match: { entries: { $gt: STATUS_KEPT.perMachine } } },
      { $project: { _id: 0, machine: '$_id', entries: 1 } },
    ])
    .toArray();
}

/** Removes of these machines what is older than the newest entries, and answers how many those were; some may be left. */
export async function pruneStatus(state: State, session: ClientSession, machines: readonly string[]): Promise<number> {
  let pruned = 0;
  for (const machine of machines) {
    if (pruned >= PRUNED_AT_ONCE) break;
    const old = await state.statusLog
      .find({ machine }, { session, projection: { _id: 1 } })
      .sort({ number: -1 })
      .skip(STATUS_KEPT.perMachine)
      .limit(PRUNED_AT_ONCE - pruned)
      .toArray();
    const spent = { _id: { $in: old.map(({ _id }) => _id) } };
    pruned += (await state.statusLog.deleteMany(spent, { session })).deletedCount;
  }
  return pruned;
}
