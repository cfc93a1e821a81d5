import { type Static, Type } from '@sinclair/typebox';
import { InstanceType } from '../machines/instance-type.js';

/**
 * What the CLI and machine 0 say to each other while machine 0 has no API server yet: HTTPS, TLS 1.3 only, on the API's
 * port, JSON bodies. `hello` and `enrol` on one connection; everything after with the operator's certificate. All of it may
 * be done again.
 */
export const Hello = Type.Object({ nonce: Type.String({ pattern: '^[0-9a-f]{64}$' }) });
export type Hello = Static<typeof Hello>;

export const HelloAnswer = Type.Object({ nonce: Type.String(), ca: Type.String(), proof: Type.String() });
export type HelloAnswer = Static<typeof HelloAnswer>;

export const Enrol = Type.Object({
  /** Certificate request, PEM. */
  request: Type.String({ maxLength: 8192 }),
  /** Whom the certificate shall name. */
  user: Type.String({ pattern: '^[A-Za-z0-9._@-]{1,64}$' }),
  proof: Type.String({ maxLength: 128 }),
});
export type Enrol = Static<typeof Enrol>;

export const EnrolAnswer = Type.Object({ certificate: Type.String() });
export type EnrolAnswer = Static<typeof EnrolAnswer>;

/** How controllers reach Temporal. */
export const TemporalConnection = Type.Object({
  address: Type.String({ minLength: 1 }),
  namespace: Type.String({ minLength: 1 }),
  tls: Type.Optional(
    Type.Union([
      Type.Boolean(),
      Type.Object({
        serverName: Type.Optional(Type.String()),
        ca: Type.Optional(Type.String({ description: 'PEM' })),
        certificate: Type.Optional(Type.String({ description: 'PEM' })),
        key: Type.Optional(Type.String({ description: 'PEM' })),
      }),
    ]),
  ),
  apiKey: Type.Optional(Type.String()),
  metadata: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'gRPC headers' })),
});
export type TemporalConnection = Static<typeof TemporalConnection>;

/** The set of one, by the settings that the environment begins with. */
export const Initiate = Type.Object({
  settings: Type.Record(Type.String(), Type.String()),
});
export type Initiate = Static<typeof Initiate>;

/** What the environment's document and settings start with; what the machine knows itself is not sent. */
export const Seed = Type.Object({
  cloud: Type.String(),
  region: Type.String(),
  /** How it lies on its cloud, for that alone to understand. */
  cloudSettings: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  /** Of machine 0, for those outside of the cloud's network; absent where there is none. */
  publicAddress: Type.Optional(Type.String()),
  zones: Type.Array(Type.String(), { minItems: 1 }),
  instanceTypes: Type.Array(InstanceType),
  desired: Type.Integer({ minimum: 1, maximum: 7 }),
  url: Type.String(),
  temporal: Type.Object({ clusterId: Type.String(), namespace: Type.String() }),
  settings: Type.Record(Type.String(), Type.String()),
});
export type Seed = Static<typeof Seed>;

export const Progress = Type.Object({
  mongod: Type.Boolean(),
  temporal: Type.Boolean(),
  initiated: Type.Boolean(),
  seeded: Type.Boolean(),
  serving: Type.Boolean(),
});
export type Progress = Static<typeof Progress>;
