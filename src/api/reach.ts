import { type Static, Type } from '@sinclair/typebox';

/** What `GET /v1/reach` answers: nobody else's word, nothing remembered. Needs no majority. */
export const Reach = Type.Object(
  {
    /** Who looked. */
    machine: Type.String(),
    api: Type.Array(Type.Object({ machine: Type.String(), address: Type.String(), reached: Type.Boolean() })),
    members: Type.Array(
      Type.Object({
        id: Type.Integer(),
        host: Type.String(),
        machine: Type.Union([Type.String(), Type.Null()], { description: 'of its tag; null when it has none' }),
        /** Its own member gets answers to its heartbeats there. */
        reached: Type.Boolean(),
        state: Type.String(),
      }),
      { description: 'the other members; empty when its own could not be asked' },
    ),
    /** Why its own member could not be asked; empty when it was. */
    memberProblem: Type.String(),
  },
  { $id: 'Reach' },
);
export type Reach = Static<typeof Reach>;
