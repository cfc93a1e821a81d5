import type { AgentReport, PresenceDocument } from './documents.js';
import type { State } from './state.js';

/** One beat of one agent. `session` identifies a run of the agent. */
export interface Beat {
  readonly machine: string;
  readonly session: string;
  readonly report: AgentReport;
}

/**
 * Writes beats in one batch. The sequence number rises in the database, whichever API server writes, and times are the
 * database's: `at` is this beat, `since` the first one of the agent's run or of its last change of status.
 */
export async function writePresence(state: State, beats: readonly Beat[]): Promise<void> {
  if (beats.length === 0) return;
  await state.presence.bulkWrite(
    beats.map((beat) => ({
      updateOne: {
        filter: { _id: beat.machine },
        upsert: true,
        update: [
          {
            $set: {
              since: {
                $cond: [
                  {
                    $and: [
                      { $eq: ['$session', { $literal: beat.session }] },
                      { $eq: ['$report.status', { $literal: beat.report.status }] },
                    ],
                  },
                  '$since',
                  '$$NOW',
                ],
              },
              seq: { $add: [{ $ifNull: ['$seq', 0] }, 1] },
              session: { $literal: beat.session },
              at: '$$NOW',
              report: { $literal: beat.report },
            },
          },
        ],
      },
    })),
    { ordered: false },
  );
}

/** The last beat of every machine. */
export async function readPresence(state: State): Promise<PresenceDocument[]> {
  return await state.presence.find({}).toArray();
}
