import type { Judged } from '../membership/judge.js';
import { checkFence, type Epoch } from './fence.js';
import { databaseTime, type State, transaction } from './state.js';

/** A sentinel that was not heard for this long is superseded by whoever writes, whatever its sequence number. */
const SUPERSEDED_MS = 15_000;

/**
 * Writes what the sentinel sees, whole, in the database's time. `sequence` counts its rounds: one that was continued
 * elsewhere and thaws later overwrites nothing.
 */
export async function writeEvidence(
  state: State,
  fence: Epoch,
  sequence: number,
  judged: readonly Judged[],
): Promise<void> {
  const at = await databaseTime(state);
  const from = (ms: number) => new Date(at.getTime() + ms);
  const controllers = judged.map(({ machine, verdict, sinceMs, next, inMs }) => ({
    machine,
    verdict,
    since: from(-sinceMs),
    next,
    nextAt: inMs === null ? null : from(inMs),
  }));
  await transaction(state, async (session) => {
    await checkFence(state, session, fence);
    const before = await state.evidence.findOne({ _id: 'current' }, { session });
    if (before !== null && before.sequence > sequence && at.getTime() - before.at.getTime() < SUPERSEDED_MS) return;
    await state.evidence.replaceOne({ _id: 'current' }, { controllers, sequence, at }, { session, upsert: true });
  });
}

/** The sentinel's sign of life: it has looked, and what it wrote last still holds. */
export async function affirmEvidence(state: State, sequence: number): Promise<void> {
  await state.evidence.updateOne({ _id: 'current', sequence }, [{ $set: { at: '$$NOW' } }]);
}
