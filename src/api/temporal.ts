import { type Static, Type } from '@sinclair/typebox';
import { TemporalConnection } from '../boot/wire.js';

/** Which Temporal the environment's changes run in. */
export const TemporalPlace = Type.Object({
  clusterId: Type.String(),
  namespace: Type.String(),
  /** Raised whenever another Temporal takes over. */
  epoch: Type.Integer(),
});
export type TemporalPlace = Static<typeof TemporalPlace>;

/** Another Temporal takes over. */
export const Adopt = Type.Object(
  {
    epoch: Type.Integer({ description: 'as it was seen before: another one is refused' }),
    clusterId: Type.String({ maxLength: 200 }),
    namespace: Type.String({ maxLength: 1000 }),
    connection: TemporalConnection,
  },
  { additionalProperties: false },
);
export type Adopt = Static<typeof Adopt>;
