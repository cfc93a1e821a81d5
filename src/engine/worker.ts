import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { devNull } from 'node:os';
import path from 'node:path';
import type { TemporalConnection } from '../boot/wire.js';
import { buildId, builtFile, packageRoot } from '../package.js';
import type { Dirs } from '../store/dirs.js';
import { endGroup, isAlive, startGroup } from './group.js';
import { readWorker, writeWorker } from './record.js';
import { withoutTemporal } from './server.js';

/** The engine's worker: a process beside Temporal on the operator's machine, kept up by bin/quorate-supervise. */

/** A worker that leaves finishes what it has in hand. */
const DRAIN_MS = 15_000;

/** Each Temporal has a worker of its own, so that shells with different configurations do not take it from each other. */
export function workerName(configured: TemporalConnection | null): string {
  if (configured === null) return 'worker';
  return `worker-${digest(nameOf(configured)).slice(0, 8)}`;
}

const nameOf = ({ address, namespace }: TemporalConnection) => `${address}/${namespace}`;

/** A worker has the key or certificate of the shell that started it: with another one it is started anew. */
const connectionOf = (target: TemporalConnection) => `${nameOf(target)}#${digest(JSON.stringify(target))}`;

const digest = (text: string) => createHash('sha256').update(text).digest('hex');

/** All that were ever started here. */
export async function workerNames(dirs: Dirs): Promise<string[]> {
  const files = await readdir(dirs.engine);
  return files.filter((file) => /^worker.*\.json$/.test(file)).map((file) => path.basename(file, '.json'));
}

export const workerLog = (dirs: Dirs, name: string) => path.join(dirs.engine, `${name}.log`);

/** Whether the worker runs, is of this build and works for this Temporal with these credentials. */
export async function workerIsCurrent(dirs: Dirs, name: string, target: TemporalConnection): Promise<boolean> {
  const known = await readWorker(dirs, name);
  return (
    known !== null && known.buildId === buildId() && known.temporal === connectionOf(target) && (await isAlive(known))
  );
}

/**
 * Starts the worker unless a current one runs; another one is drained first. For the embedded Temporal it is told the
 * address; else it finds its Temporal by the standard configuration, as this process did, so that no secret passes from one
 * to the other. The caller has the engine's lock.
 */
export async function ensureWorker(
  dirs: Dirs,
  name: string,
  target: TemporalConnection,
  { embedded }: { readonly embedded: boolean },
): Promise<void> {
  if (await workerIsCurrent(dirs, name, target)) return;
  await stopWorker(dirs, name);
  const { address, namespace } = target;
  const told = { TEMPORAL_CONFIG_FILE: devNull, TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace };
  const mark = await startGroup(
    [path.join(packageRoot(), 'bin', 'quorate-supervise'), process.execPath, builtFile('programs', 'engine-worker.js')],
    {
      env: embedded ? { ...withoutTemporal(process.env), ...told } : process.env,
      log: workerLog(dirs, name),
      directory: dirs.engine,
    },
  );
  const at = new Date().toISOString();
  await writeWorker(dirs, name, { ...mark, buildId: buildId(), temporal: connectionOf(target), at });
}

export async function stopWorker(dirs: Dirs, name: string): Promise<boolean> {
  const known = await readWorker(dirs, name);
  return known !== null && (await endGroup(known, DRAIN_MS));
}
