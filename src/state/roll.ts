import { type Static, Type } from '@sinclair/typebox';

/**
 * Whose agents are connected to one API server, in the collection `presence` beside what agents say themselves: so one
 * write a second is all that a controller needs, however many agents it has.
 */
export const RollDocument = Type.Object({
  _id: Type.String({ description: 'roll-MACHINE, the API server’s' }),
  /** Rises with every write: as long as it does, those on the roll are there. */
  seq: Type.Integer(),
  /** One run of the API server. */
  session: Type.String(),
  /** Rises with every change of `machines` in one run. */
  version: Type.Integer(),
  machines: Type.Array(Type.String()),
  at: Type.Unsafe<Date>({ bsonType: 'date' }),
  /** What is watched twice a second: rolls, and the agents that beat for themselves. */
  beats: Type.Literal(true),
});
export type RollDocument = Static<typeof RollDocument>;

/** A roll as its API server writes it. */
export type Roll = Pick<RollDocument, 'session' | 'version' | 'machines'>;

const PREFIX = 'roll-';

export const rollId = (machine: string): string => `${PREFIX}${machine}`;

export const isRollId = (id: string): boolean => id.startsWith(PREFIX);

/** Documents of `presence` that are no rolls. */
export const OF_AGENTS = { _id: { $not: new RegExp(`^${PREFIX}`) } };
