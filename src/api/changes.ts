import { type Static, Type } from '@sinclair/typebox';
import { ChangeStep } from '../state/documents.js';

/** A change and its story. */
export const Change = Type.Object({
  id: Type.String({ description: '<environment>-<number>' }),
  kind: Type.String(),
  summary: Type.String(),
  workflowId: Type.String(),
  runId: Type.String(),
  url: Type.String(),
  by: Type.String(),
  state: Type.Union([
    Type.Literal('running'),
    Type.Literal('done'),
    Type.Literal('blocked'),
    Type.Literal('cancelled'),
    Type.Literal('failed'),
  ]),
  steps: Type.Array(ChangeStep),
  result: Type.String(),
  startedAt: Type.String(),
  endedAt: Type.Union([Type.String(), Type.Null()]),
});
export type Change = Static<typeof Change>;

export const Changes = Type.Object({ changes: Type.Array(Change) });
export type Changes = Static<typeof Changes>;

/** Closes the story of a change whose workflow is gone. */
export const CloseChange = Type.Object(
  { reason: Type.String({ minLength: 1, maxLength: 500 }) },
  { additionalProperties: false },
);
export type CloseChange = Static<typeof CloseChange>;

export const ChangesQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
});
