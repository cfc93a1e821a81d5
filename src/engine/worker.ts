import { createHash } from 'node:crypto';
import { devNull } from 'node:os';
import path from 'node:path';
import type { TemporalConnection } from '../boot/wire.js';
import { buildId, builtFile, packageRoot } from '../package.js';
import type { Dirs } from '../store/dirs.js';
import { endGroup, isAlive, startGroup } from './group.js';
import { readWorker, type WorkerRecord, writeWorker } from './record.js';
import { withoutTemporal } from './server.js';

/** The engine's worker: a process beside Temporal on the operator's machine, kept up by bin/quorate-supervise. */

/** A worker that leaves finishes what it has in hand. */
const DRAIN_MS = 15_000;

/** Each Temporal has a worker of its own, so that shells with different configurations do not take it from each other. */
export function workerName(configured: TemporalConnection | null): string {
  if (configured === null) return 'worker';
  const { address, namespace } = configured;
  return `worker-${createHash('sha256').update(`${address}/${namespace}`).digest('hex').slice(0, 8)}`;
}

export const workerLog = (dirs: Dirs, name: string) => path.join(dirs.engine, `${name}.log`);

/** Whether the worker runs and is of this build. */
export async function workerIsCurrent(dirs: Dirs, name: string): Promise<boolean> {
  const known = await readWorker(dirs, name);
  return known !== null && known.buildId === buildId() && (await isAlive(known));
}

/**
 * Starts the worker unless one of this build runs; one of another build is drained first. `embedded` is the address of the
 * embedded Temporal; without it the worker finds its Temporal by the standard configuration, as this process did. The
 * caller has the engine's lock.
 */
export async function ensureWorker(
  dirs: Dirs,
  name: string,
  embedded: string | null,
  namespace: string,
): Promise<WorkerRecord> {
  const known = await readWorker(dirs, name);
  if (known !== null) {
    if (await workerIsCurrent(dirs, name)) return known;
    await endGroup(known, DRAIN_MS);
  }
  const temporal = { TEMPORAL_CONFIG_FILE: devNull, TEMPORAL_ADDRESS: embedded ?? '', TEMPORAL_NAMESPACE: namespace };
  const mark = await startGroup(
    [path.join(packageRoot(), 'bin', 'quorate-supervise'), process.execPath, builtFile('workers', 'engine.js')],
    {
      env: embedded === null ? process.env : { ...withoutTemporal(process.env), ...temporal },
      log: workerLog(dirs, name),
      directory: dirs.engine,
    },
  );
  const record = { ...mark, buildId: buildId(), at: new Date().toISOString() };
  await writeWorker(dirs, name, record);
  return record;
}

export async function stopWorker(dirs: Dirs, name: string): Promise<boolean> {
  const known = await readWorker(dirs, name);
  return known !== null && (await endGroup(known, DRAIN_MS));
}
