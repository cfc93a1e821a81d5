import { type Static, Type } from '@sinclair/typebox';

/** Characters of a sentence. */
export const LONGEST_MESSAGE = 500;

/** What an agent says of one change of its machine's status. */
export const StatusEntry = Type.Object({
  /** Rises, and is never used twice in the machine's life; not one after the other. */
  number: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  /** Milliseconds since 1970, by the machine's clock. */
  at: Type.Integer({ minimum: 0, maximum: 8.64e15 }),
  /** What changed: the agent, one of its services, the disk; a newer agent may know more. */
  what: Type.String({ minLength: 1, maxLength: 40 }),
  /** What it is now, in one word. */
  status: Type.String({ minLength: 1, maxLength: 40 }),
  /** A sentence. */
  message: Type.String({ maxLength: LONGEST_MESSAGE }),
});
export type StatusEntry = Static<typeof StatusEntry>;

/** Collection `statusLog`: one document an entry, written once and never changed. */
export const StatusDocument = Type.Object({
  _id: Type.String({ description: 'machine ID and number' }),
  machine: Type.String(),
  /** Too large for what the driver writes as a whole number. */
  number: Type.Number(),
  what: Type.String(),
  status: Type.String(),
  message: Type.String(),
  /** By the machine's clock. */
  at: Type.Unsafe<Date>({ bsonType: 'date' }),
  /** When a controller took it, by the database's clock. */
  arrivedAt: Type.Unsafe<Date>({ bsonType: 'date' }),
});
export type StatusDocument = Static<typeof StatusDocument>;
