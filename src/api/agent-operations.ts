import { type Static, Type } from '@sinclair/typebox';
import { LARGEST_CHUNK, OutputStream, ResultState } from '../state/operation-documents.js';

/**
 * What agents and controllers say of operations, on `/v1/agent`. A controller tells what is written down of an operation;
 * the agent sends one report on it at a time, and is told what is written down then. So whatever is lost on the way is said
 * again from what is written down, at any controller.
 */

/** base64 of a piece of output. */
const LARGEST_DATA = Math.ceil(LARGEST_CHUNK / 3) * 4;

const Report = Type.Union([
  /** What is written down? */
  Type.Object({ kind: Type.Literal('ask') }),
  /** It wants to begin it. */
  Type.Object({ kind: Type.Literal('claim') }),
  Type.Object({
    kind: Type.Literal('output'),
    sequence: Type.Integer({ minimum: 0 }),
    stream: OutputStream,
    data: Type.String({ maxLength: LARGEST_DATA, description: 'base64' }),
  }),
  Type.Object({
    kind: Type.Literal('end'),
    state: Type.Union([
      Type.Literal('done'),
      Type.Literal('failed'),
      Type.Literal('cancelled'),
      Type.Literal('timed-out'),
      Type.Literal('unknown'),
    ]),
    exitCode: Type.Union([Type.Null(), Type.Integer({ minimum: 0, maximum: 255 })]),
    signal: Type.String({ maxLength: 20 }),
    message: Type.String({ maxLength: 500 }),
    stdoutBytes: Type.Number({ minimum: 0 }),
    stderrBytes: Type.Number({ minimum: 0 }),
  }),
]);

export const OperationReport = Type.Object({
  type: Type.Literal('operation'),
  id: Type.Integer({ minimum: 1 }),
  /** The answer bears it again. */
  ref: Type.Integer(),
  report: Report,
});
export type OperationReport = Static<typeof OperationReport>;

/** After hello: what waits or runs on the machine. Each of them is told next. */
export const ToldOperations = Type.Object({ type: Type.Literal('operations'), open: Type.Array(Type.Integer()) });
export type ToldOperations = Static<typeof ToldOperations>;

export const ToldOperation = Type.Object({
  type: Type.Literal('operation'),
  id: Type.Integer(),
  /** Of the report that this answers. */
  ref: Type.Optional(Type.Integer()),
  /** null: there is no such operation. */
  result: Type.Union([
    Type.Null(),
    Type.Object({
      version: Type.Integer(),
      state: ResultState,
      claimedBy: Type.String(),
      chunks: Type.Integer(),
      cancelling: Type.Boolean(),
    }),
  ]),
  /** What is to be done; not in answers. */
  work: Type.Optional(
    Type.Object({ command: Type.Array(Type.String()), timeoutMs: Type.Integer(), outputLimit: Type.Integer() }),
  ),
});
export type ToldOperation = Static<typeof ToldOperation>;
