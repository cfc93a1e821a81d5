import { readFile } from 'node:fs/promises';
import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { QuorateError, reasonOf } from '../errors.js';

/** What the machine agent gives its API server: a JSON file of mode 0600. */
export const ControllerConfig = Type.Object({
  environment: Type.Object({ name: Type.String(), uuid: Type.String() }),
  machine: Type.String(),
  listen: Type.Object({ address: Type.String(), port: Type.Integer() }),
  /** host:port of members; the others are found from them. */
  mongo: Type.Array(Type.String(), { minItems: 1 }),
  /** Files: the environment's CA, and the machine's own certificate and key. */
  tls: Type.Object({ ca: Type.String(), certificate: Type.String(), key: Type.String() }),
  /** Files: the certificate that logs in to MongoDB, and its key. */
  stateTls: Type.Object({ certificate: Type.String(), key: Type.String() }),
  caKeyFile: Type.String(),
  bootKeyFile: Type.String(),
  temporalFile: Type.String(),
  /** Where it says which certificates it goes by; absent where nobody waits for that. */
  loadedFile: Type.Optional(Type.String()),
  /** The logs of this machine's programs, that the API may be asked for. */
  logs: Type.Optional(Type.Array(Type.Object({ program: Type.String(), file: Type.String() }))),
  /** host:port where this machine's worker tells its figures. */
  workerMetrics: Type.Optional(Type.String()),
});
export type ControllerConfig = Static<typeof ControllerConfig>;

export async function readConfig(file: string): Promise<ControllerConfig> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new QuorateError('bad-config', `${file} cannot be read: ${reasonOf(error)}.`);
  }
  if (Value.Check(ControllerConfig, value)) return value;
  const first = Value.Errors(ControllerConfig, value).First();
  throw new QuorateError('bad-config', `${file} is not a configuration: ${first?.path} ${first?.message}.`);
}
