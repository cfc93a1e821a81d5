import { readFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import type { Client, Connection } from '@temporalio/client';
import type { TemporalConnection } from '../boot/wire.js';
import { QuorateError, reasonOf } from '../errors.js';
import { tracing } from '../tracing/tracing.js';
import { dialTemporal, speaksTls } from './dial.js';
import { codeOf, explain, GRPC, REFUSALS } from './refusals.js';

export interface Temporal {
  readonly client: Client;
  readonly connection: Connection;
  readonly address: string;
  readonly namespace: string;
  /** Base of the web UI's URLs; null where it is not known. */
  readonly uiUrl: string | null;
  /** With the namespace: which Temporal this is, wherever it listens. */
  readonly clusterId: string;
}

/**
 * The Temporal of the standard client configuration (TEMPORAL_* variables, profiles); null when it names no address, which
 * means the embedded one. Certificates and keys are read now, so that the answer can be handed on as it is.
 */
export async function configuredTemporal(env: NodeJS.ProcessEnv = process.env): Promise<TemporalConnection | null> {
  const { loadClientConfigProfile } = await import('@temporalio/envconfig');
  try {
    const variables = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const profile = loadClientConfigProfile({
      overrideEnvVars: Object.fromEntries(variables),
      // The library cannot read an empty file, which is how no file at all is said.
      disableFile: env.TEMPORAL_CONFIG_FILE === devNull,
    });
    if (!profile.address) return null;
    const tls = profile.tls;
    return {
      address: profile.address,
      namespace: profile.namespace ?? 'default',
      ...(profile.apiKey !== undefined && { apiKey: profile.apiKey }),
      ...(profile.grpcMeta !== undefined && { metadata: profile.grpcMeta }),
      ...(tls?.disabled === true && { tls: false }),
      ...(tls !== undefined &&
        tls.disabled !== true && {
          tls: {
            ...(tls.serverName !== undefined && { serverName: tls.serverName }),
            ...(tls.serverCACert !== undefined && { ca: await pem(tls.serverCACert) }),
            ...(tls.clientCert !== undefined && { certificate: await pem(tls.clientCert) }),
            ...(tls.clientKey !== undefined && { key: await pem(tls.clientKey) }),
          },
        }),
    };
  } catch (error) {
    throw new QuorateError(
      'temporal-configuration',
      `Temporal's client configuration cannot be used: ${reasonOf(error)}.`,
      {
        todo: 'Correct the TEMPORAL_* variables or the profile in temporal.toml, or unset them to use the embedded Temporal.',
        cause: error,
      },
    );
  }
}

/** The standard configuration does not know where a Temporal's web UI is; QUORATE_TEMPORAL_UI says it. */
export const configuredUiUrl = (env: NodeJS.ProcessEnv = process.env): string | null =>
  env.QUORATE_TEMPORAL_UI?.replace(/\/+$/, '') || null;

async function pem(source: { path: string } | { data: string | Uint8Array }): Promise<string> {
  if ('path' in source) return readFile(source.path, 'utf8');
  return typeof source.data === 'string' ? source.data : Buffer.from(source.data).toString('utf8');
}

/** In the SDK's words, for clients and workers alike. An API key means TLS, as in the standard configuration. */
export function connectionOptions(target: TemporalConnection) {
  const { address, tls, apiKey, metadata } = target;
  return {
    address,
    ...(apiKey !== undefined && { apiKey }),
    ...(metadata !== undefined && { metadata }),
    tls:
      typeof tls === 'object'
        ? {
            ...(tls.serverName !== undefined && { serverNameOverride: tls.serverName }),
            ...(tls.ca !== undefined && { serverRootCACertificate: Buffer.from(tls.ca) }),
            ...(tls.certificate !== undefined &&
              tls.key !== undefined && {
                clientCertPair: { crt: Buffer.from(tls.certificate), key: Buffer.from(tls.key) },
              }),
          }
        : speaksTls(target),
  };
}

const CONNECTS_WITHIN_MS = 5_000;

/** Connects and sees that the namespace is there. `target` as given by the engine; else the standard configuration. */
export async function connectTemporal(
  options: {
    readonly target?: TemporalConnection;
    readonly uiUrl?: string | null;
    readonly timeoutMs?: number;
    readonly env?: NodeJS.ProcessEnv;
  } = {},
): Promise<Temporal> {
  const env = options.env ?? process.env;
  const target = options.target ?? (await configuredTemporal(env));
  if (target === null) {
    throw new QuorateError(
      'no-temporal-configured',
      'No Temporal is configured, and the embedded one was not asked for.',
      {
        todo: 'Start the embedded one with `quorate engine start`, or set TEMPORAL_ADDRESS.',
      },
    );
  }
  const { Client, Connection } = await import('@temporalio/client');
  const { address, namespace } = target;
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({
      ...connectionOptions(target),
      connectTimeout: options.timeoutMs ?? CONNECTS_WITHIN_MS,
    });
    const clusterId = await identify(connection, namespace);
    const uiUrl = options.uiUrl ?? configuredUiUrl(env);
    const interceptors =
      tracing() === null ? {} : { workflow: [(await import('../tracing/temporal.js')).clientTracing()] };
    return {
      client: new Client({ connection, namespace, interceptors }),
      connection,
      address,
      namespace,
      uiUrl,
      clusterId,
    };
  } catch (error) {
    await connection?.close();
    throw await inWords(error, target, options.timeoutMs ?? CONNECTS_WITHIN_MS);
  }
}

/** Of a connection that does not come about the SDK says only that it took too long: it is dialled again to hear why. */
async function inWords(error: unknown, target: TemporalConnection, withinMs: number): Promise<QuorateError> {
  const { address, namespace } = target;
  if (ANSWERS.has(codeOf(error))) return explain(error, address, namespace);
  return await dialTemporal(target, withinMs).then(
    () => explain(error, address, namespace),
    (why: QuorateError) => why,
  );
}

const ANSWERS: ReadonlySet<number> = new Set([GRPC.notFound, ...REFUSALS]);

/** The cluster's ID, or the namespace's own where the cluster does not tell (Temporal Cloud). */
async function identify({ workflowService }: Connection, namespace: string): Promise<string> {
  const { namespaceInfo } = await workflowService.describeNamespace({ namespace });
  try {
    const { clusterId } = await workflowService.getClusterInfo({});
    if (clusterId) return clusterId;
  } catch (error) {
    if (!REFUSALS.has(codeOf(error))) throw error;
  }
  return namespaceInfo?.id ?? '';
}
