import { Binary, type ClientSession } from 'mongodb';
import type { OutputStream, ResultDocument } from './operation-documents.js';
import { type Absence, append, type CommandEnd, claim, end, judge, type ResultFields } from './operation-states.js';
import { replaceResults } from './operations.js';
import { persist } from './retry.js';
import { databaseTime, type State, transaction } from './state.js';

/** What an agent says of an operation on its machine. `ask`: nothing, it wants to know what is written down. */
export type Report =
  | { readonly kind: 'ask' }
  | { readonly kind: 'claim' }
  | {
      readonly kind: 'output';
      readonly sequence: number;
      readonly stream: OutputStream;
      readonly data: Buffer;
    }
  | ({ readonly kind: 'end' } & CommandEnd);

/**
 * Takes in what an agent says and answers what is written down then; null when there is no such operation on that machine.
 * Said twice, late or out of order it changes nothing: an end is final, a piece of output has its number.
 */
export async function takeReport(
  state: State,
  said: { readonly operation: number; readonly machine: string; readonly session: string; readonly report: Report },
  limitMs?: number,
): Promise<ResultDocument | null> {
  const { operation, machine, session: run, report } = said;
  const _id = `${operation}/${machine}`;
  const now = report.kind === 'output' ? null : await persist(state, () => databaseTime(state), limitMs);
  const work = () =>
    transaction(state, async (session) => {
      const result = await state.operationResults.findOne({ _id }, { session });
      if (result === null) return null;
      const fields = changeOf(report, result, run, now);
      if (fields === null) return result;
      if (report.kind === 'output') await insertOutput(state, session, result, report);
      const [changed] = await replaceResults(state, session, [result], () => fields);
      return changed ?? result;
    });
  return await persist(state, work, limitMs);
}

function changeOf(report: Report, result: ResultDocument, run: string, now: Date | null): ResultFields | null {
  if (report.kind === 'output') {
    return append(result, { sequence: report.sequence, bytes: report.data.length });
  }
  if (now === null || report.kind === 'ask') return null;
  if (report.kind === 'claim') return claim(result, run, now);
  const { kind: _, ...said } = report;
  return end(result, said, now);
}

async function insertOutput(
  state: State,
  session: ClientSession,
  { _id, operation, machine, createdAt }: ResultDocument,
  { sequence, stream, data }: Extract<Report, { kind: 'output' }>,
): Promise<void> {
  await state.operationOutput.insertOne(
    {
      _id: `${_id}/${sequence}`,
      operation,
      machine,
      sequence,
      stream,
      data: new Binary(data),
      at: createdAt,
    },
    { session },
  );
}

/** Settles results that nobody says anything about, as `judge` sees them now; all controllers may do so at once. */
export async function settle(
  state: State,
  ids: readonly string[],
  absence: (machine: string) => Absence,
  now: Date,
): Promise<void> {
  await transaction(state, async (session) => {
    const results = await state.operationResults.find({ _id: { $in: [...ids] } }, { session }).toArray();
    await replaceResults(state, session, results, (result) => judge(result, absence(result.machine), now));
  });
}
