import { rm } from 'node:fs/promises';
import lockfile from 'proper-lockfile';
import type { TemporalConnection } from '../boot/wire.js';
import { QuorateError } from '../errors.js';
import type { Dirs } from '../store/dirs.js';
import { privateDirectory } from '../store/files.js';
import { registerSearchAttributes } from '../temporal/attributes.js';
import { configuredTemporal, configuredUiUrl, connectTemporal, type Temporal } from '../temporal/connect.js';
import type { Telling } from '../toolchain/find.js';
import { endGroup, isAlive } from './group.js';
import { readServer, readWorker, type ServerRecord } from './record.js';
import {
  addressOf,
  askServer,
  databaseFile,
  ensureServer,
  NAMESPACE,
  type ServerPorts,
  serverLog,
  uiUrlOf,
} from './server.js';
import { ensureWorker, stopWorker, workerIsCurrent, workerLog, workerName, workerNames } from './worker.js';

/**
 * The engine: the Temporal that changes run in, and a worker beside it. Temporal is the one of the standard client
 * configuration where that names one; otherwise the embedded one, which the first command starts and every later one finds.
 */
export interface Engine {
  readonly address: string;
  readonly namespace: string;
  /** Null where a Temporal of the operator's own does not tell (QUORATE_TEMPORAL_UI). */
  readonly uiUrl: string | null;
  readonly embedded: boolean;
  readonly clusterId: string;
  /** How to reach it, with what is secret: for files of mode 0600 and pinned connections only. */
  readonly connection: TemporalConnection;
  /** What someone who may has to run so that search attributes work; null when they do. */
  readonly searchAttributesTodo: string | null;
}

/** With what is said while the embedded Temporal has to be found first. */
export interface EngineOptions extends ServerPorts, Telling {}

export interface EngineStatus {
  /** Temporal answers. */
  readonly running: boolean;
  /** The worker beside it is alive. */
  readonly worker: boolean;
  readonly embedded: boolean;
  readonly address: string | null;
  readonly namespace: string;
  readonly uiUrl: string | null;
  /** Why Temporal does not answer; null when it does, or is not running. */
  readonly problem: string | null;
  readonly pid: number | null;
  readonly version: string | null;
  readonly startedAt: string | null;
  readonly database: string | null;
  readonly log: string | null;
  readonly workerPid: number | null;
  readonly workerStartedAt: string | null;
  readonly workerLog: string;
}

/** Sees that Temporal and the worker run, starting what does not; finds what earlier commands started. */
export async function ensureEngine(dirs: Dirs, options: EngineOptions = {}): Promise<Engine> {
  const configured = await configuredTemporal();
  const name = workerName(configured);
  if (configured === null) {
    const running = await alreadyRunning(dirs, name, options);
    if (running !== null) return running;
    return locked(dirs, async () => {
      const record = await ensureServer(dirs, options);
      await ensureWorker(dirs, name, embeddedConnection(record), { embedded: true });
      return describe(await askServer(record, 5_000), embeddedConnection(record), true);
    });
  }
  if (options.port !== undefined || options.uiPort !== undefined) {
    throw new QuorateError(
      'engine-configured',
      `Temporal is configured to be at ${configured.address}: its ports are not ours to choose.`,
      {
        todo: 'Leave the ports out, or unset TEMPORAL_ADDRESS (or the profile) to use the embedded Temporal.',
        exit: 2,
      },
    );
  }
  const engine = await describe(await connectTemporal({ target: configured }), configured, false);
  if (!(await workerIsCurrent(dirs, name, configured))) {
    await locked(dirs, () => ensureWorker(dirs, name, configured, { embedded: false }));
  }
  return engine;
}

/** The usual case, without a lock: all is as an earlier command left it. */
async function alreadyRunning(dirs: Dirs, name: string, asked: ServerPorts): Promise<Engine | null> {
  if (asked.port !== undefined || asked.uiPort !== undefined) return null;
  const record = await readServer(dirs);
  if (record === null || !(await isAlive(record))) return null;
  if (!(await workerIsCurrent(dirs, name, embeddedConnection(record)))) return null;
  try {
    return await describe(await askServer(record, 2_000), embeddedConnection(record), true);
  } catch (error) {
    // It may be starting, or dying; whoever has the lock looks closer.
    if (error instanceof QuorateError && error.code === 'temporal-unreachable') return null;
    throw error;
  }
}

async function describe(temporal: Temporal, connection: TemporalConnection, embedded: boolean): Promise<Engine> {
  try {
    const { address, namespace, uiUrl, clusterId } = temporal;
    const searchAttributesTodo = await registerSearchAttributes(temporal);
    return { address, namespace, uiUrl, embedded, clusterId, connection, searchAttributesTodo };
  } finally {
    await temporal.connection.close();
  }
}

const embeddedConnection = (record: ServerRecord): TemporalConnection => ({
  address: addressOf(record),
  namespace: NAMESPACE,
});

/**
 * How to reach the engine's Temporal without starting anything: what the worker and `status` use. Fails when none is configured
 * and the embedded one was never started.
 */
export async function engineConnection(dirs: Dirs): Promise<{ connection: TemporalConnection; uiUrl: string | null }> {
  const configured = await configuredTemporal();
  if (configured !== null) return { connection: configured, uiUrl: configuredUiUrl() };
  const record = await readServer(dirs);
  if (record === null) {
    throw new QuorateError(
      'engine-not-started',
      'Temporal is not configured, and the embedded one was never started here.',
      {
        todo: 'Start it with `quorate engine start`.',
      },
    );
  }
  return { connection: embeddedConnection(record), uiUrl: uiUrlOf(record) };
}

/** Ends the worker, then the embedded Temporal; a Temporal of the operator's own is left alone. Answers whether any of it ran. */
export async function stopEngine(dirs: Dirs): Promise<boolean> {
  const configured = await configuredTemporal();
  return locked(dirs, async () => {
    const worker = await stopWorker(dirs, workerName(configured));
    const record = configured === null ? await readServer(dirs) : null;
    const server = record !== null && (await endGroup(record, 10_000));
    return worker || server;
  });
}

/** Ends the engine and removes the embedded Temporal's database, records and logs: no environment may need it any more. */
export async function removeEngine(dirs: Dirs): Promise<void> {
  await stopEngine(dirs);
  for (const name of await workerNames(dirs)) await stopWorker(dirs, name);
  for (const directory of [dirs.engine, dirs.engineData]) await rm(directory, { recursive: true, force: true });
}

export async function engineStatus(dirs: Dirs): Promise<EngineStatus> {
  const configured = await configuredTemporal();
  const name = workerName(configured);
  const record = configured === null ? await readServer(dirs) : null;
  const worker = await readWorker(dirs, name);
  const workerAlive = worker !== null && (await isAlive(worker));
  const serverAlive = record !== null && (await isAlive(record));
  const problem =
    configured !== null
      ? await whyNoAnswer(() => connectTemporal({ target: configured, timeoutMs: 3_000 }))
      : record !== null && serverAlive
        ? await whyNoAnswer(() => askServer(record, 3_000))
        : null;
  return {
    running: (configured !== null || serverAlive) && problem === null,
    worker: workerAlive,
    embedded: configured === null,
    address: configured?.address ?? (record === null ? null : addressOf(record)),
    namespace: configured?.namespace ?? NAMESPACE,
    uiUrl: configured !== null ? configuredUiUrl() : record === null ? null : uiUrlOf(record),
    problem,
    pid: serverAlive ? record.pid : null,
    version: record?.version || null,
    startedAt: serverAlive ? record.at : null,
    database: configured === null ? databaseFile(dirs) : null,
    log: configured === null ? serverLog(dirs) : null,
    workerPid: workerAlive ? worker.pid : null,
    workerStartedAt: workerAlive ? worker.at : null,
    workerLog: workerLog(dirs, name),
  };
}

async function whyNoAnswer(ask: () => Promise<Temporal>): Promise<string | null> {
  try {
    await (await ask()).connection.close();
    return null;
  } catch (error) {
    if (error instanceof QuorateError) return error.message;
    throw error;
  }
}

/** Commands that start or stop the engine take turns. */
async function locked<T>(dirs: Dirs, work: () => Promise<T>): Promise<T> {
  await privateDirectory(dirs.engine);
  const release = await lockfile.lock(dirs.engine, {
    // Beside the directory, which removeEngine removes.
    lockfilePath: `${dirs.engine}.lock`,
    stale: 10_000,
    retries: { retries: 900, factor: 1, minTimeout: 100, maxTimeout: 100 },
  });
  try {
    return await work();
  } finally {
    await release();
  }
}
