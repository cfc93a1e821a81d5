import { type Static, Type } from '@sinclair/typebox';
import type { Binary } from 'mongodb';

/**
 * Operations: commands that run on machines. The operation says what was asked for and is written once (and once more when
 * it is cancelled); how it went is one result a machine, so that thousands of machines never write to one document.
 */

const date = Type.Unsafe<Date>({ bsonType: 'date' });

export const ResultState = Type.Union([
  Type.Literal('pending'),
  Type.Literal('running'),
  Type.Literal('done'),
  Type.Literal('failed'),
  Type.Literal('cancelled'),
  Type.Literal('timed-out'),
  Type.Literal('unknown'),
]);
export type ResultState = Static<typeof ResultState>;

export const OutputStream = Type.Union([Type.Literal('stdout'), Type.Literal('stderr')]);
export type OutputStream = Static<typeof OutputStream>;

/** What each result holds too, so that a report is judged from one document. */
const limits = {
  /** How long it may run on a machine, and how long it may wait until it is begun there. */
  timeoutMs: Type.Integer(),
  /** Waits for machines whose agent is silent, instead of refusing them. */
  background: Type.Boolean(),
  /** Bytes of output that are kept of each machine; what comes after them is counted and cut. */
  outputLimit: Type.Integer(),
};

/** Collection `operations`. */
export const OperationDocument = Type.Object({
  _id: Type.Integer({ description: 'its number, for people; never used twice' }),
  /** The program and its arguments, as they are: no shell between. */
  command: Type.Array(Type.String()),
  by: Type.String(),
  ...limits,
  /** Who asked for its end; empty when nobody did. */
  cancelledBy: Type.String(),
  createdAt: date,
  version: Type.Integer(),
});
export type OperationDocument = Static<typeof OperationDocument>;

/** Collection `operationResults`: an operation on one machine. */
export const ResultDocument = Type.Object({
  _id: Type.String({ description: 'OPERATION/MACHINE' }),
  operation: Type.Integer(),
  machine: Type.String(),
  ...limits,
  state: ResultState,
  /** The run of the agent that took it; only that one may begin it. Empty while pending. */
  claimedBy: Type.String(),
  /** null when there is none: a signal ended it, or nobody knows. */
  exitCode: Type.Union([Type.Null(), Type.Integer()]),
  /** The signal that ended it; empty for none. */
  signal: Type.String(),
  /** What else is to be said of its end, one sentence. */
  message: Type.String(),
  /** Somebody asked for its end while it ran. */
  cancelling: Type.Boolean(),
  /** Pieces of output that are kept, which is the sequence number of the next one. */
  chunks: Type.Integer(),
  keptBytes: Type.Number(),
  /** What the command wrote, kept or not; said at its end. */
  stdoutBytes: Type.Number(),
  stderrBytes: Type.Number(),
  /** By the database's clock, as all times here. */
  createdAt: date,
  claimedAt: Type.Union([Type.Null(), date]),
  endedAt: Type.Union([Type.Null(), date]),
  version: Type.Integer(),
});
export type ResultDocument = Static<typeof ResultDocument>;

/** Collection `operationOutput`: one piece of what a command wrote. `_id` makes a piece that is sent twice one. */
export const OutputDocument = Type.Object({
  _id: Type.String({ description: 'OPERATION/MACHINE/SEQUENCE' }),
  operation: Type.Integer(),
  machine: Type.String(),
  sequence: Type.Integer(),
  stream: OutputStream,
  data: Type.Unsafe<Binary>({ bsonType: 'binData' }),
  at: date,
});
export type OutputDocument = Static<typeof OutputDocument>;

/** Collection `counters`: the next number of what is counted and may all be removed. */
export const CounterDocument = Type.Object({ _id: Type.String(), next: Type.Integer() });
export type CounterDocument = Static<typeof CounterDocument>;

/** Bytes in one piece of output, at most. */
export const LARGEST_CHUNK = 48 * 1024;
