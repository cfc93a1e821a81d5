import type { AnyBulkWriteOperation, Filter, FindOptions } from 'mongodb';
import type { AgentReport, PresenceDocument } from './documents.js';
import { isRollId, type Roll, rollId } from './roll.js';
import type { State } from './state.js';

/** One beat of one agent. `session` identifies a run of the agent. */
export interface Beat {
  readonly machine: string;
  readonly session: string;
  readonly report: AgentReport;
  /** It says by itself that it is there; else it is on the roll of the API server that it is connected to. */
  readonly beats?: boolean;
}

/**
 * Writes beats, and whose agents are connected to the API server of a machine, in one batch. The sequence numbers rise in
 * the database, whichever API server writes, and times are the database's: `at` is this beat, `since` the first one of the
 * agent's run or of its last change of status.
 */
export async function writePresence(
  state: State,
  beats: readonly Beat[],
  connected?: { readonly machine: string; readonly roll: Roll },
): Promise<void> {
  const operations = beats.map(writeBeat);
  if (connected !== undefined) operations.push(writeRoll(connected.machine, connected.roll));
  if (operations.length === 0) return;
  await state.presence.bulkWrite(operations, { ordered: false });
}

type Write = AnyBulkWriteOperation<PresenceDocument>;

function writeBeat({ machine, session, report, beats }: Beat): Write {
  const same = {
    $and: [{ $eq: ['$session', { $literal: session }] }, { $eq: ['$report.status', { $literal: report.status }] }],
  };
  const $set = {
    since: { $cond: [same, '$since', '$$NOW'] },
    seq: { $add: [{ $ifNull: ['$seq', 0] }, 1] },
    session: { $literal: session },
    at: '$$NOW',
    report: { $literal: report },
    beats: beats ? true : '$$REMOVE',
  };
  return { updateOne: { filter: { _id: machine }, upsert: true, update: [{ $set }] } };
}

function writeRoll(machine: string, { session, version, machines }: Roll): Write {
  const $set = {
    seq: { $add: [{ $ifNull: ['$seq', 0] }, 1] },
    session: { $literal: session },
    version,
    machines: { $literal: machines },
    at: '$$NOW',
    beats: true,
  };
  return { updateOne: { filter: { _id: rollId(machine) }, upsert: true, update: [{ $set }] } };
}

/** The last that was heard of these machines' agents, or of all. Rolls are no part of it. */
export async function readPresence(
  state: State,
  filter: Filter<PresenceDocument> = {},
  options: FindOptions = {},
): Promise<PresenceDocument[]> {
  const found = await state.presence.find(filter, options).toArray();
  return found.filter(({ _id }) => !isRollId(_id));
}
