import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../errors.js';
import { markOf } from '../process.js';
import type { Dirs } from '../store/dirs.js';
import { privateDirectory } from '../store/files.js';
import { searchAttributeFlags } from '../temporal/attributes.js';
import { connectTemporal, type Temporal } from '../temporal/connect.js';
import { findServer, type Telling } from '../toolchain/find.js';
import { isAlive, startGroup } from './group.js';
import { type Holder, holdersOfFile } from './holders.js';
import { ENGINE_HOST, freePort, isListening, requireFree } from './ports.js';
import { readServer, type ServerRecord, writeServer } from './record.js';

/** The embedded Temporal: `temporal server start-dev` with a file database and the web UI. */

export interface ServerPorts {
  readonly port?: number;
  readonly uiPort?: number;
}

export const NAMESPACE = 'default';
const START_MS = 30_000;
/**
 * A frozen worker's polls are let go within seconds. By Temporal's own minute they would go on swallowing tasks, each of which is
 * given to another worker only after its own timeout.
 */
const KEEP_ALIVE = { 'frontend.keepAliveTime': '1s', 'frontend.keepAliveTimeout': '2s' } as const;

export const serverLog = (dirs: Dirs) => path.join(dirs.engine, 'temporal.log');
export const databaseFile = (dirs: Dirs) => path.join(dirs.engineData, 'temporal.db');
export const addressOf = (record: ServerRecord) => `${ENGINE_HOST}:${record.port}`;
export const uiUrlOf = (record: ServerRecord) => `http://${ENGINE_HOST}:${record.uiPort}`;

/** Asks the server itself; fails as connectTemporal does. */
export function askServer(record: ServerRecord, timeoutMs: number): Promise<Temporal> {
  const target = { address: addressOf(record), namespace: NAMESPACE };
  return connectTemporal({ target, uiUrl: uiUrlOf(record), timeoutMs });
}

/** Starts the server unless it runs. The caller has the engine's lock. */
export async function ensureServer(dirs: Dirs, asked: ServerPorts & Telling): Promise<ServerRecord> {
  const known = await readServer(dirs);
  if (known !== null && (await isAlive(known))) {
    refuseOtherPorts(known, asked);
    await untilItAnswers(dirs, known, () => isAlive(known));
    return known;
  }
  const found = await adopt(dirs);
  if (found !== null) {
    refuseOtherPorts(found, asked);
    await writeServer(dirs, found);
    await untilItAnswers(dirs, found, () => isAlive(found));
    return found;
  }
  const port = asked.port ?? known?.port ?? (await freePort());
  const uiPort = asked.uiPort ?? known?.uiPort ?? (await freePort([port]));
  if (port === uiPort) {
    throw new QuorateError('same-port', `Port ${port} cannot be both for clients and for the UI.`, { exit: 2 });
  }
  await requireFree(port, '--port');
  await requireFree(uiPort, '--ui-port');
  return start(dirs, { ...asked, port, uiPort });
}

async function start(dirs: Dirs, { port, uiPort, ...telling }: Required<ServerPorts> & Telling): Promise<ServerRecord> {
  const server = await findServer('temporal', { cacheDir: dirs.toolchain, ...telling });
  await privateDirectory(dirs.engineData);
  const args = ['server', 'start-dev', '--db-filename', databaseFile(dirs), '--namespace', NAMESPACE];
  args.push('--ip', ENGINE_HOST, '--port', String(port), '--ui-ip', ENGINE_HOST, '--ui-port', String(uiPort));
  args.push(
    ...Object.entries(KEEP_ALIVE).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
  );
  args.push('--log-level', 'warn', ...searchAttributeFlags.flatMap((flag) => ['--search-attribute', flag]));
  const mark = await startGroup([server.path, ...args], {
    env: withoutTemporal(process.env),
    log: serverLog(dirs),
    directory: dirs.engineData,
  });
  const record = { ...mark, port, uiPort, version: server.version, at: new Date().toISOString() };
  await writeServer(dirs, record);
  await untilItAnswers(dirs, record, () => isAlive(mark));
  return record;
}

async function untilItAnswers(dirs: Dirs, record: ServerRecord, alive: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (!(await isListening(record.port))) {
    if (!(await alive())) throw await failedToStart(dirs);
    if (performance.now() > deadline) throw silent(dirs, record);
    await sleep(25);
  }
  try {
    await (await askServer(record, Math.max(1_000, deadline - performance.now()))).connection.close();
  } catch (error) {
    if (!(await alive())) throw await failedToStart(dirs);
    throw error;
  }
}

async function failedToStart(dirs: Dirs): Promise<QuorateError> {
  const lines = (await readFile(serverLog(dirs), 'utf8').catch(() => '')).trim().split('\n');
  const reason = (lines.findLast((line) => /^Error|level=ERROR|panic/.test(line)) ?? lines.at(-1) ?? '').slice(0, 500);
  if (/database is locked/i.test(reason)) return locked(dirs, await holdersOfFile(databaseFile(dirs)));
  return new QuorateError(
    'engine-failed',
    `The embedded Temporal ended while it started: ${reason || 'it said nothing'}.`,
    {
      todo: `Its log is ${serverLog(dirs)}.`,
    },
  );
}

function silent(dirs: Dirs, record: ServerRecord): QuorateError {
  return new QuorateError(
    'engine-silent',
    `The embedded Temporal (process ${record.pid}) runs but does not answer at ${addressOf(record)}.`,
    { todo: `Run \`quorate engine stop\`, then the command again; its log is ${serverLog(dirs)}.` },
  );
}

function refuseOtherPorts(record: ServerRecord, asked: ServerPorts): void {
  for (const key of ['port', 'uiPort'] as const) {
    if (asked[key] === undefined || asked[key] === record[key]) continue;
    const what = key === 'port' ? 'clients' : 'the UI';
    throw new QuorateError('engine-running', `The engine runs already, with port ${record[key]} for ${what}.`, {
      todo: 'Stop it first with `quorate engine stop`; controllers that know its old address need the old port.',
    });
  }
}

/**
 * Two servers on one database would both start and spoil it, so before one is started whoever has the database open is looked
 * for: a server of ours whose record was lost is taken back, anyone else is named.
 */
async function adopt(dirs: Dirs): Promise<ServerRecord | null> {
  const holders = await holdersOfFile(databaseFile(dirs));
  if (holders.length === 0) return null;
  for (const { pid, command } of holders) {
    const ports = portsInCommand(command, databaseFile(dirs));
    const mark = await markOf(pid);
    if (ports !== null && mark !== null) return { ...mark, ...ports, version: '', at: new Date().toISOString() };
  }
  throw locked(dirs, holders);
}

/** The ports in the command line that `start` makes; null when it is not one. */
export function portsInCommand(command: string, database: string): Required<ServerPorts> | null {
  if (!command.includes(` server start-dev --db-filename ${database} --namespace ${NAMESPACE} `)) return null;
  const port = / --port (\d+) /.exec(command)?.[1];
  const uiPort = / --ui-port (\d+) /.exec(command)?.[1];
  return port !== undefined && uiPort !== undefined ? { port: Number(port), uiPort: Number(uiPort) } : null;
}

function locked(dirs: Dirs, holders: readonly Holder[]): QuorateError {
  const who = holders.map(({ pid, command }) => `process ${pid} (${command})`).join(' and ') || 'another process';
  return new QuorateError(
    'engine-database-locked',
    `The engine's database ${databaseFile(dirs)} is in use by ${who}.`,
    {
      todo: 'End that process, then run the command again.',
    },
  );
}

/** The client configuration of the person's shell is not meant for the server. */
export function withoutTemporal(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}
