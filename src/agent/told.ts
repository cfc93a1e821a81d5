import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { Job, Life, ServerAddress } from '../state/documents.js';

/** What a controller says of this machine. */
export const ToldMachine = Type.Object({
  type: Type.Literal('machine'),
  life: Life,
  jobs: Type.Array(Job),
  /** Of the machine's document: a lower one than was heard before is an old answer. */
  version: Type.Integer(),
  memberId: Type.Union([Type.Integer(), Type.Null()]),
  addresses: Type.Object({ version: Type.Integer(), servers: Type.Array(ServerAddress), url: Type.String() }),
});
export type ToldMachine = Static<typeof ToldMachine>;

/** A controller's message as far as the agent acts on it; null for anything else. */
export function parseTold(message: unknown): ToldMachine | { readonly type: 'gone' } | null {
  if (Value.Check(ToldMachine, message)) return message;
  const { type } = (message ?? {}) as { type?: unknown };
  return type === 'gone' ? { type } : null;
}
