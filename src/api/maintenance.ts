import { type Static, Type } from '@sinclair/typebox';

/** For how long nothing is to be done to a machine. */
export const PutMaintenance = Type.Object(
  { for: Type.String({ maxLength: 40, description: 'a duration from now on: 30s, 10m, 2h; at most 24h' }) },
  { additionalProperties: false },
);
export type PutMaintenance = Static<typeof PutMaintenance>;

export const Maintenance = Type.Object({
  machine: Type.String(),
  until: Type.String({ description: 'by the database’s clock' }),
});
export type Maintenance = Static<typeof Maintenance>;
