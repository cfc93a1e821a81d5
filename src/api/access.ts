import { type Static, Type } from '@sinclair/typebox';
import { TemporalConnection } from '../boot/wire.js';

/** Who may do what. `agent`: a machine's own certificate. The others rise: who may write may read. */
export type Role = 'read' | 'write' | 'admin' | 'agent';

export const Ping = Type.Object({
  environment: Type.String(),
  machine: Type.String(),
  time: Type.Integer({ description: "the machine's clock, milliseconds since 1970" }),
});
export type Ping = Static<typeof Ping>;

const CertificateRequest = Type.String({
  maxLength: 8192,
  pattern: '^\\s*-----BEGIN CERTIFICATE REQUEST-----',
  description: 'certificate request, PEM',
});

/** A machine's first call: its one-time token, and the key that its certificate shall be for. */
export const Enrol = Type.Object(
  {
    machine: Type.String({ maxLength: 20 }),
    nonce: Type.String({ maxLength: 100 }),
    token: Type.String({ maxLength: 100 }),
    request: CertificateRequest,
  },
  { additionalProperties: false },
);
export type Enrol = Static<typeof Enrol>;

export const Enrolled = Type.Object({ certificate: Type.String() });
export type Enrolled = Static<typeof Enrolled>;

/** The next certificate of whoever calls, for a new key. */
export const Renew = Type.Object({ request: CertificateRequest }, { additionalProperties: false });
export type Renew = Static<typeof Renew>;

export const NewToken = Type.Object(
  {
    user: Type.String({ pattern: '^[A-Za-z0-9._@-]{1,64}$' }),
    role: Type.Union([Type.Literal('read'), Type.Literal('write'), Type.Literal('admin')]),
    /** Until it is void; both add up, and one of them must be said. */
    days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })),
    hours: Type.Optional(Type.Integer({ minimum: 1, maximum: 24 })),
  },
  { additionalProperties: false },
);
export type NewToken = Static<typeof NewToken>;

/** The only time that the token itself is shown; what is kept is its hash. */
export const Token = Type.Object({
  token: Type.String(),
  user: Type.String(),
  role: Type.String(),
  expiresAt: Type.String(),
});
export type Token = Static<typeof Token>;

/** Whom the environment trusts; version 0 as long as it has its first CA. */
export const Authority = Type.Object({
  version: Type.Integer(),
  trusted: Type.String({ description: 'CAs, PEM, the one that issues first' }),
});
export type Authority = Static<typeof Authority>;

/** What every controller knows and nobody else. */
export const ControllerKeys = Type.Object({
  caKey: Type.String(),
  bootKey: Type.String(),
  /** While the CA is rotated. */
  next: Type.Optional(Type.Object({ caKey: Type.String(), bootKey: Type.String() })),
  previousBootKey: Type.Optional(Type.String()),
  temporal: Type.Union([TemporalConnection, Type.Null()]),
});
export type ControllerKeys = Static<typeof ControllerKeys>;
