import { watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NativeConnection } from '@temporalio/worker';
import { bootActivities } from '../activities/boot.js';
import { singletonActivities } from '../activities/singletons.js';
import type { TemporalConnection } from '../src/boot/wire.js';
import { contains, subnetAround } from '../src/cloud/local/namespace/subnet.js';
import { openLocalCloud } from '../src/cloud/local/open.js';
import { engineConnection } from '../src/engine/engine.js';
import { type Relay, startRelay } from '../src/engine/relay.js';
import { reasonOf } from '../src/errors.js';
import { log, writeAs } from '../src/log/log.js';
import { type EnvironmentRecord, openStore, type Store } from '../src/store/store.js';
import { connectTemporal, type Temporal } from '../src/temporal/connect.js';
import { environmentKey, taskQueues } from '../src/temporal/names.js';
import { startTracing } from '../src/tracing/tracing.js';
import { askingActivities, operatorSide } from './cloud-sides.js';
import { endWith, inTime, NotEnded } from './ending.js';
import { keepVersionCurrent, Vacancy } from './versions.js';
import { connectWorkers, prepareRuntime, startWorkers, type Workers } from './worker.js';
import { mayLeave, Needed } from './yielding.js';

// The watch tells of a new environment before its record is written; a look costs a few small files.
const LOOK_MS = 150;
const RETRY = { leastMs: 200, mostMs: 5000 } as const;

/**
 * The engine's worker: one process for all environments of the store that this Temporal runs, `-workflows` and `-cloud`
 * of each. Environments come and go while it runs: it watches the store, and looks besides.
 */
export async function runEngineWorker(): Promise<void> {
  writeAs({ program: 'engine-worker' });
  await startTracing({ name: 'quorate-engine-worker' }, (sentence) => log().warn(sentence));
  prepareRuntime();
  const store = await openStore();
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  for (let pause: number = RETRY.leastMs; !stop.signal.aborted; pause = Math.min(pause * 2, RETRY.mostMs)) {
    const began = performance.now();
    try {
      await serve(store, stop.signal);
    } catch (error) {
      if (stop.signal.aborted) break;
      // Whoever watches the engine's worker starts another one, which has its hands free.
      if (error instanceof NotEnded) throw error;
      log().warn(`${reasonOf(error)}; trying again`);
    }
    if (performance.now() - began > RETRY.mostMs) pause = RETRY.leastMs;
    await sleep(pause, undefined, { signal: stop.signal }).catch(() => undefined);
  }
}

/** One connection's life: follows the store until Temporal fails, or `stop`. */
async function serve(store: Store, stop: AbortSignal): Promise<void> {
  const { connection: target } = await engineConnection(store.dirs);
  const temporal = await connectTemporal({ target });
  const running = new Map<string, Serving>();
  const needed = new Needed(temporal);
  const changed = await watchStore(store);
  let connection: NativeConnection | null = null;
  try {
    connection = await connectWorkers(target);
    while (!stop.aborted) {
      const wanted = await environmentsHere(store, temporal, needed);
      for (const [key, serving] of running) {
        if (wanted.has(key) && serving.error === null) continue;
        running.delete(key);
        await serving.stop();
        if (serving.error !== null) throw serving.error;
      }
      for (const [key, record] of wanted) {
        if (!running.has(key)) {
          running.set(key, await serveEnvironment({ store, temporal, connection, target, key, record }));
        }
      }
      await Promise.race([changed.next(), sleep(LOOK_MS, undefined, { signal: stop }).catch(() => undefined)]);
    }
  } finally {
    changed.close();
    await Promise.all([...running.values()].map((serving) => serving.stop()));
    if (connection !== null) await inTime(connection.close());
    await inTime(temporal.connection.close());
  }
}

interface Serving {
  readonly error: Error | null;
  stop(): Promise<void>;
}

async function serveEnvironment(given: {
  readonly store: Store;
  readonly temporal: Temporal;
  readonly connection: NativeConnection;
  readonly target: Parameters<typeof connectWorkers>[0];
  readonly key: string;
  readonly record: EnvironmentRecord;
}): Promise<Serving> {
  const { store, temporal, connection, key, record } = given;
  const relay = await relayFor(store, record, given.target);
  const target = relay?.connection ?? given.target;
  const side = operatorSide(store, target);
  const queues = [
    { name: taskQueues.workflows(key), activities: singletonActivities(), workflows: true },
    {
      name: taskQueues.cloud(key),
      activities: {
        ...askingActivities(side),
        ...bootActivities(side),
      },
    },
  ];
  const workers: Workers = await startWorkers(connection, target.namespace, key, queues, 'engine');
  const over = new AbortController();
  const serving: { error: Error | null; stop(): Promise<void> } = {
    error: null,
    stop: async () => {
      over.abort();
      await workers.stop();
      relay?.close();
    },
  };
  const vacancy = new Vacancy(temporal.client, key);
  const upkeep = keepVersionCurrent(
    temporal.client,
    key,
    over.signal,
    mayLeave(record) ? { isFree: (now) => vacancy.isFree(now) } : {},
  );
  Promise.race([workers.failed, upkeep]).catch((error) => {
    if (!over.signal.aborted) serving.error = error instanceof Error ? error : new Error(String(error));
  });
  return serving;
}

/** Where an environment's instances have addresses of their own, this machine's loopback is not theirs: they are passed on. */
async function relayFor(store: Store, record: EnvironmentRecord, target: TemporalConnection): Promise<Relay | null> {
  if (record.cloud !== 'local' || record.region !== 'namespace') return null;
  const host = await openLocalCloud(store.dirs.localCloud, record.region).hostAddress(record.uuid);
  if (host === null) return null;
  const { cidr } = subnetAround(host);
  return await startRelay(target, host, (address) => contains(cidr, address));
}

/**
 * The store's environments whose changes run in this Temporal and that take an operator's machine, by key. A damaged record is
 * somebody else's to report.
 */
async function environmentsHere(
  store: Store,
  { namespace, address, clusterId }: Temporal,
  needed: Needed,
): Promise<Map<string, EnvironmentRecord>> {
  const found = new Map<string, EnvironmentRecord>();
  for (const name of await store.listEnvironments()) {
    const record = await store.readEnvironment(name).catch((error) => {
      log().warn(reasonOf(error));
      return null;
    });
    if (record === null || record.temporal.namespace !== namespace || record.temporal.address !== address) continue;
    // Another Temporal at the same address, as when the database of the embedded one is lost: `engine adopt` says so.
    if ((record.temporal.clusterId ?? clusterId) !== clusterId) continue;
    if (!(await needed.isNeeded(record))) continue;
    found.set(environmentKey(record.name, record.uuid), record);
  }
  return found;
}

/** A promise of the next change in the store's environments; missed ones are found by looking. */
async function watchStore(store: Store): Promise<{ next(): Promise<void>; close(): void }> {
  const directory = path.join(store.dirs.data, 'environments');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  let wake: () => void = () => undefined;
  const watcher = watch(directory, { persistent: false, recursive: false }, () => wake());
  watcher.on('error', () => undefined);
  return {
    next: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
    close: () => watcher.close(),
  };
}

if (process.argv[1] && import.meta.url === new URL(`file://${process.argv[1]}`).href) {
  await endWith(runEngineWorker());
}
