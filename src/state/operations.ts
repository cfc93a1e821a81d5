import type { ClientSession } from 'mongodb';
import { QuorateError } from '../errors.js';
import type { MachineId } from '../membership/types.js';
import { aliveEnvironment } from './machines.js';
import type { OperationDocument, ResultDocument } from './operation-documents.js';
import { cancel, isOpen, outputLimit } from './operation-states.js';
import { once, type Request } from './requests.js';
import { persist } from './retry.js';
import { databaseTime, type State, transaction } from './state.js';

export interface AskedOperation {
  readonly command: readonly string[];
  readonly machines: readonly MachineId[] | 'all';
  readonly timeoutMs: number;
  /** Waits for machines whose agent is silent. */
  readonly background: boolean;
  readonly by: string;
  readonly request: Request;
  /** Machines whose agent is not heard, and how that is called: down, pending, stopped. */
  readonly silent: ReadonlyMap<MachineId, string>;
}

/** Operations that wait or run on one machine at once. */
const MOST_OPEN = 100;
/** Machines that a refusal names. */
const NAMED = 10;
/** Old ones that are kept beside the newest; MongoDB removes them after two weeks anyway. */
const KEPT = 500;

/**
 * Writes down an operation and its results to be, one a machine, in one transaction; the machines' agents are told by the
 * change feed. Asked again it answers the same number.
 */
export async function createOperation(state: State, asked: AskedOperation, limitMs?: number): Promise<number> {
  const createdAt = await databaseTime(state);
  const { number } = await once(
    state,
    asked.request,
    async (session) => {
      await aliveEnvironment(state, session);
      const machines = await machinesFor(state, session, asked);
      await refuseTooMany(state, session, machines);
      const counter = await state.counters.findOneAndUpdate(
        { _id: 'operations' },
        { $inc: { next: 1 } },
        { upsert: true, returnDocument: 'after', session },
      );
      const { command, timeoutMs, background, by } = asked;
      const operation: OperationDocument = {
        _id: counter?.next ?? 1,
        command: [...command],
        by,
        timeoutMs,
        background,
        outputLimit: outputLimit(machines.length),
        cancelledBy: '',
        createdAt,
        version: 1,
      };
      await state.operations.insertOne(operation, { session });
      await state.operationResults.insertMany(
        machines.map((machine) => firstResult(operation, machine, asked)),
        { session },
      );
      return { number: operation._id };
    },
    limitMs,
  );
  await forgetOld(state, number);
  return number;
}

/** With `all` a machine that does not answer is a failure of its own and keeps nobody else up. */
function firstResult(operation: OperationDocument, machine: MachineId, asked: AskedOperation): ResultDocument {
  const silent = asked.background ? undefined : asked.silent.get(machine);
  return {
    _id: `${operation._id}/${machine}`,
    operation: operation._id,
    machine,
    timeoutMs: operation.timeoutMs,
    background: operation.background,
    outputLimit: operation.outputLimit,
    state: silent === undefined ? 'pending' : 'failed',
    claimedBy: '',
    exitCode: null,
    signal: '',
    message: silent === undefined ? '' : `Its agent does not answer (${silent}); nothing was begun.`,
    cancelling: false,
    chunks: 0,
    keptBytes: 0,
    stdoutBytes: 0,
    stderrBytes: 0,
    createdAt: operation.createdAt,
    claimedAt: null,
    endedAt: silent === undefined ? null : operation.createdAt,
    version: 1,
  };
}

async function machinesFor(state: State, session: ClientSession, asked: AskedOperation): Promise<MachineId[]> {
  const all = await state.machines.find({}, { session, projection: { life: 1 } }).toArray();
  if (asked.machines === 'all') {
    const alive = all.filter(({ life }) => life === 'alive').map(({ _id }) => _id);
    if (alive.length > 0) return alive;
    throw new QuorateError('machine-not-alive', 'No machine of this environment is alive.');
  }
  const named = [...new Set(asked.machines)];
  const lives = new Map(all.map(({ _id, life }) => [_id, life]));
  const unknown = named.filter((id) => !lives.has(id));
  if (unknown.length > 0) {
    throw new QuorateError('not-found', `There is no machine ${someOf(unknown)}; nothing was begun.`, {
      todo: 'See which there are: quorate machines.',
    });
  }
  const leaving = named.filter((id) => lives.get(id) !== 'alive');
  if (leaving.length > 0) {
    const which = someOf(leaving.map((id) => `${id} is ${lives.get(id)}`));
    throw new QuorateError('machine-not-alive', `Machine ${which}; nothing was begun.`);
  }
  const silent = asked.background ? [] : named.filter((id) => asked.silent.has(id));
  if (silent.length > 0) {
    const which = someOf(silent.map((id) => `${id} (${asked.silent.get(id)})`));
    throw new QuorateError('agent-silent', `The agent of machine ${which} does not answer; nothing was begun.`, {
      todo: 'See what is up with: quorate status. With --background it is begun when the agent is back, within the time limit.',
    });
  }
  return named;
}

/** All of them in a sentence, or the first ones and how many there are besides. */
function someOf(all: readonly string[]): string {
  const more = all.length - NAMED;
  return more > 1 ? `${all.slice(0, NAMED).join(', ')} and ${more} more` : all.join(', ');
}

async function refuseTooMany(state: State, session: ClientSession, machines: readonly MachineId[]): Promise<void> {
  const [full] = await state.operationResults
    .aggregate<{ _id: string }>(
      [
        { $match: { state: { $in: ['pending', 'running'] }, machine: { $in: [...machines] } } },
        { $group: { _id: '$machine', open: { $sum: 1 } } },
        { $match: { open: { $gte: MOST_OPEN } } },
      ],
      { session },
    )
    .toArray();
  if (full === undefined) return;
  throw new QuorateError(
    'too-many-operations',
    `${MOST_OPEN} operations wait or run on machine ${full._id} already; nothing was begun.`,
    { todo: 'See them with: quorate operations. End one with: quorate cancel-operation ID' },
  );
}

/**
 * Asks for the end of an operation: where it was not begun it is not begun any more, where it runs its agent ends it. What
 * has ended stays as it is. Harmless done twice. @returns whether there is such an operation
 */
export async function cancelOperation(state: State, number: number, by: string, limitMs?: number): Promise<boolean> {
  const now = await databaseTime(state);
  const work = () =>
    transaction(state, async (session) => {
      const operation = await state.operations.findOne({ _id: number }, { session });
      if (operation === null) return false;
      const results = await state.operationResults.find({ operation: number }, { session }).toArray();
      if (operation.cancelledBy !== '' || !results.some(isOpen)) return true;
      const { _id, ...fields } = operation;
      const next = { ...fields, cancelledBy: by, version: operation.version + 1 };
      await state.operations.replaceOne({ _id, version: operation.version }, next, { session });
      await replaceResults(state, session, results, (result) => cancel(result, by, now));
      return true;
    });
  return await persist(state, work, limitMs);
}

/** Replaces whole documents, so that change streams carry each as it was. @returns those that changed */
export async function replaceResults(
  state: State,
  session: ClientSession,
  results: readonly ResultDocument[],
  change: (result: ResultDocument) => Partial<ResultDocument> | null,
): Promise<ResultDocument[]> {
  const changed = results.flatMap((result) => {
    const fields = change(result);
    return fields === null ? [] : [{ ...result, ...fields, version: result.version + 1 }];
  });
  if (changed.length === 0) return [];
  await state.operationResults.bulkWrite(
    changed.map(({ _id, ...replacement }) => ({
      replaceOne: { filter: { _id, version: replacement.version - 1 }, replacement },
    })),
    { session },
  );
  return changed;
}

/** Whoever runs thousands of commands keeps the output of the last hundreds. Done twice or late it is harmless. */
async function forgetOld(state: State, newest: number): Promise<void> {
  if (newest % 50 !== 0) return;
  const last = newest - KEPT;
  await state.operationOutput.deleteMany({ operation: { $lte: last } });
  await state.operationResults.deleteMany({ operation: { $lte: last }, state: { $nin: ['pending', 'running'] } });
  await state.operations.deleteMany({ _id: { $lte: last } });
}
