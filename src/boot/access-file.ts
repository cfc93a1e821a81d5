import { type Static, Type } from '@sinclair/typebox';

/** What `recover-access` writes on a controller's console, and `quorate login --certificate` takes: an admin's certificate. */
export const AccessFile = Type.Object({
  quorateAccess: Type.Literal(1),
  environment: Type.Object({ name: Type.String(), uuid: Type.String() }),
  /** host:port of the controllers known there. */
  addresses: Type.Array(Type.String(), { minItems: 1 }),
  /** PEM, as those that follow. */
  ca: Type.String(),
  certificate: Type.String(),
  key: Type.String(),
});
export type AccessFile = Static<typeof AccessFile>;
