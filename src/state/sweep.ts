import { checkFence, type Epoch } from './fence.js';
import { type State, transaction } from './state.js';
import { longStatusLogs, pruneStatus } from './status-log.js';

/** Collections whose documents may outlive what they are about. */
export type Swept = 'tokens' | 'presence' | 'changes' | 'statusLog';

/**
 * Removes documents of machines that are gone, stories of changes that have ended, and the oldest of the status logs of
 * these machines, and answers how many. A machine that is there, whatever was seen before, keeps what is its own, and so does
 * a change that runs.
 */
export async function sweep(state: State, fence: Epoch, what: Swept, ids: readonly string[]): Promise<number> {
  return await transaction(state, async (session) => {
    await checkFence(state, session, fence);
    if (what === 'changes') {
      const gone = { _id: { $in: [...ids] }, state: { $ne: 'running' as const } };
      return (await state.changes.deleteMany(gone, { session })).deletedCount;
    }
    if (what === 'statusLog') return await pruneStatus(state, session, ids);
    const own = what === 'tokens' ? 'nonce' : '_id';
    const there = await state.machines.find({ [own]: { $in: [...ids] } }, { session }).toArray();
    const theirs = new Set(there.map((machine) => machine[own]));
    const gone = ids.filter((id) => !theirs.has(id));
    const collection = state.db.collection<{ _id: string }>(what);
    return (await collection.deleteMany({ _id: { $in: gone } }, { session })).deletedCount;
  });
}

/** So many documents of a collection are looked at in one go, the oldest. */
const LOOKED_AT = 10_000;

/** The documents that may have to go, with their ages by the database's clock. */
export async function readKept(state: State) {
  const ago = (date: string) => ({ $toDouble: { $max: [0, { $subtract: ['$$NOW', date] }] } });
  const [machines, tokens, presence, changes, statusLogs] = await Promise.all([
    state.machines.find({}, { projection: { nonce: 1 } }).toArray(),
    state.tokens
      .aggregate<{ nonce: string; ageMs: number }>([
        { $sort: { boundAt: 1 } },
        { $limit: LOOKED_AT },
        { $project: { _id: 0, nonce: '$_id', ageMs: ago('$boundAt') } },
      ])
      .toArray(),
    state.presence
      .aggregate<{ machine: string; ageMs: number }>([
        { $sort: { at: 1 } },
        { $limit: LOOKED_AT },
        { $project: { _id: 0, machine: '$_id', ageMs: ago('$at') } },
      ])
      .toArray(),
    state.changes
      .aggregate<{ id: string; number: number; endedAgeMs: number | null }>([
        { $sort: { number: -1 } },
        { $limit: LOOKED_AT },
        {
          $project: {
            _id: 0,
            id: '$_id',
            number: 1,
            endedAgeMs: { $cond: [{ $eq: ['$state', 'running'] }, null, ago('$endedAt')] },
          },
        },
      ])
      .toArray(),
    longStatusLogs(state),
  ]);
  return { machines: machines.map(({ _id, nonce }) => ({ id: _id, nonce })), tokens, presence, changes, statusLogs };
}
