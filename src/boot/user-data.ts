import { type Static, Type } from '@sinclair/typebox';

/**
 * What an instance is given, and nothing else: a pure function of what was fixed with the machine's nonce (machine 0's
 * token apart), so that a retry sends identical bytes. The same document on every cloud.
 */
export const UserData = Type.Object(
  {
    quorate: Type.Literal(1),
    environment: Type.Object({ name: Type.String(), uuid: Type.String() }),
    machine: Type.String(),
    nonce: Type.String(),
    /** host:port of every API server known when the nonce was decided; empty for machine 0. */
    addresses: Type.Array(Type.String()),
    /** Where the published address set is found when none of `addresses` answers; empty for machine 0. */
    url: Type.String(),
    /** The environment's CA certificate, PEM; empty for machine 0, which makes it. */
    ca: Type.String(),
    /** One-time boot token, hex. Shredded by the machine once it has its certificate. */
    token: Type.String(),
    /** Where the package is installed from; `local` runs the files that are there already. */
    install: Type.Object({ source: Type.Literal('local'), version: Type.String() }),
  },
  { additionalProperties: false },
);
export type UserData = Static<typeof UserData>;

/**
 * What the cloud tells a machine about itself (EC2: the instance metadata service; local cloud: a file beside the user
 * data). The machine listens on these and nowhere else.
 */
export const InstanceMetadata = Type.Object({
  instance: Type.String(),
  address: Type.String(),
  ports: Type.Object({ api: Type.Number(), mongo: Type.Number() }),
  zone: Type.String(),
});
export type InstanceMetadata = Static<typeof InstanceMetadata>;
