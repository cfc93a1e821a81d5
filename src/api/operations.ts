import { type Static, Type } from '@sinclair/typebox';
import { OutputStream, ResultState } from '../state/operation-documents.js';
import { MOST_NAMED } from '../state/operation-limits.js';

/** A command to be run on machines. */
export const NewOperation = Type.Object(
  {
    command: Type.Array(Type.String({ maxLength: 48 * 1024, pattern: '^[^\\u0000]*$' }), {
      minItems: 1,
      maxItems: 1000,
      description: 'the program and its arguments, as they are; everybody who may read sees them',
    }),
    machines: Type.Union([
      Type.Array(Type.String({ pattern: '^[0-9]{1,9}$' }), { minItems: 1, maxItems: MOST_NAMED }),
      Type.Literal('all'),
    ]),
    timeout: Type.Optional(
      Type.String({ maxLength: 40, description: 'how long it may wait and how long it may run: 30s, 5m; at most 24h' }),
    ),
    background: Type.Optional(
      Type.Boolean({ description: 'wait for machines whose agent is silent instead of refusing them' }),
    ),
  },
  { additionalProperties: false },
);
export type NewOperation = Static<typeof NewOperation>;

/** How an operation went, or goes, on one machine. */
export const Result = Type.Object({
  machine: Type.String(),
  state: ResultState,
  exitCode: Type.Union([Type.Null(), Type.Integer()], {
    description: 'null when there is none: a signal ended it, or nobody knows',
  }),
  signal: Type.String(),
  message: Type.String({ description: 'what else is to be said of its end; may be empty' }),
  /** Pieces of output that are kept so far. */
  chunks: Type.Integer(),
  keptBytes: Type.Number(),
  /** What the command wrote in all; 0 until its end is said. */
  stdoutBytes: Type.Number(),
  stderrBytes: Type.Number(),
  /** The output was longer than what is kept. */
  truncated: Type.Boolean(),
  claimedAt: Type.Union([Type.Null(), Type.String()]),
  endedAt: Type.Union([Type.Null(), Type.String()]),
});
export type Result = Static<typeof Result>;

const said = {
  id: Type.String(),
  command: Type.Array(Type.String()),
  by: Type.String(),
  timeoutSeconds: Type.Number(),
  background: Type.Boolean(),
  outputLimit: Type.Integer({ description: 'bytes of output kept of each machine' }),
  cancelledBy: Type.String({ description: 'who asked for its end; empty when nobody did' }),
  createdAt: Type.String(),
};

/** What `/v1/watch` tells of an operation; its results are told one by one. */
export const AskedOperation = Type.Object(said);
export type AskedOperation = Static<typeof AskedOperation>;

export const Operation = Type.Object({
  ...said,
  state: ResultState,
  results: Type.Array(Result),
  token: Type.String({ description: 'for /v1/watch: what changes after this answer comes after it; may be empty' }),
});
export type Operation = Static<typeof Operation>;

export const OperationSummary = Type.Object({
  ...said,
  state: ResultState,
  machines: Type.Integer(),
  /** How many machines are in which state. */
  counts: Type.Record(Type.String(), Type.Integer()),
  endedAt: Type.Union([Type.Null(), Type.String()], {
    description: 'when its last machine ended; null while one has not',
  }),
});
export type OperationSummary = Static<typeof OperationSummary>;

export const Operations = Type.Object({ operations: Type.Array(OperationSummary) });
export type Operations = Static<typeof Operations>;

export const OperationsQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
});

export const OutputQuery = Type.Object({
  machine: Type.String({ pattern: '^[0-9]{1,9}$' }),
  after: Type.Optional(
    Type.Integer({ minimum: -1, description: 'the last piece read; -1 or none: from the beginning' }),
  ),
});

/** Output of a command, in order. */
export const Output = Type.Object({
  chunks: Type.Array(
    Type.Object({
      sequence: Type.Integer(),
      stream: OutputStream,
      data: Type.String({ description: 'base64' }),
    }),
  ),
  more: Type.Boolean({ description: 'there is more already' }),
});
export type Output = Static<typeof Output>;
