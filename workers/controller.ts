import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudSide } from '../activities/cloud-side.js';
import { environmentActivities } from '../activities/environment.js';
import { exposureActivities } from '../activities/firewall.js';
import { ownerActivities } from '../activities/leftovers.js';
import type { Network } from '../activities/network.js';
import { observeActivities } from '../activities/observe.js';
import { recoveryActivities } from '../activities/recovery.js';
import { replicaSetActivities } from '../activities/replica-set.js';
import { rotationActivities } from '../activities/rotation.js';
import { sentinelActivities } from '../activities/sentinel.js';
import { singletonActivities } from '../activities/singletons.js';
import { takeoverActivities } from '../activities/takeover.js';
import { workActivities } from '../activities/work.js';
import { openSealedByOneOf } from '../src/boot/sealed.js';
import type { TemporalConnection } from '../src/boot/wire.js';
import { QuorateError, reasonOf } from '../src/errors.js';
import { log, writeAs } from '../src/log/log.js';
import { keyFilesIn, readBootKeys } from '../src/pki/key-files.js';
import { Observer } from '../src/replicaset/observe.js';
import { untilAdopted } from '../src/state/adopt.js';
import type { EnvironmentDocument } from '../src/state/documents.js';
import { readEvenAlone } from '../src/state/even-alone.js';
import { PresenceObserver } from '../src/state/presence-observer.js';
import { openState, type State } from '../src/state/state.js';
import { connectTemporal, type Temporal } from '../src/temporal/connect.js';
import { environmentKey, taskQueues } from '../src/temporal/names.js';
import { endSingletons, ensureSingletons } from '../src/temporal/singletons.js';
import { startTracing } from '../src/tracing/tracing.js';
import { type CertificateFiles, WorkerCertificates } from './certificates.js';
import { askingActivities, controllerSide } from './cloud-sides.js';
import { endWith, inTime, NotEnded } from './ending.js';
import { keepVersionCurrent } from './versions.js';
import { connectWorkers, prepareRuntime, startWorkers } from './worker.js';

/** The configuration file of a controller's worker, written by its machine's agent; everything else lies in the files it names. */
export interface ControllerWorkerConfig extends CertificateFiles {
  readonly environment: { readonly name: string; readonly uuid: string };
  readonly machine: string;
  /** host:port of members. */
  readonly mongo: readonly string[];
  /** A `TemporalConnection`: that of bootstrap. One that was adopted since stands in the documents, sealed with the boot key. */
  readonly temporalFile: string;
  readonly bootKeyFile: string;
  /** host:port, of this machine alone, where its figures are told; left out by agents that do not know of it. */
  readonly metrics?: string;
}

/** Short, since at a bootstrap everybody waits for this worker; a try costs little. */
const RETRY = { leastMs: 100, mostMs: 1000 } as const;

/**
 * A controller's worker: polls `-workflows` and `-network` of its environment, and `-cloud` where machines may ask the cloud
 * themselves. Temporal may be away or not there yet, and so may the database; it tries for ever. It ends on SIGTERM, drained,
 * and when its agent is gone (its stdin closes).
 */
export async function runControllerWorker(configFile: string): Promise<void> {
  const config = JSON.parse(await readFile(configFile, 'utf8')) as ControllerWorkerConfig;
  writeAs({ program: 'worker', machine: config.machine, environment: config.environment.name });
  await startTracing(
    { name: 'quorate-worker', machine: config.machine, environment: config.environment.name },
    (sentence) => log().warn(sentence),
  );
  prepareRuntime(config.metrics);
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  if (process.channel) process.once('disconnect', () => stop.abort());
  if (!process.stdin.isTTY) {
    process.stdin
      .once('end', () => stop.abort())
      .once('close', () => stop.abort())
      .once('error', () => stop.abort());
    process.stdin.resume();
  }

  const certificates = await WorkerCertificates.read(config);
  process.on('SIGHUP', () => certificates.reload());
  for (let pause: number = RETRY.leastMs; !stop.signal.aborted; pause = Math.min(pause * 2, RETRY.mostMs)) {
    const began = performance.now();
    try {
      await serve(config, certificates, stop.signal);
    } catch (error) {
      if (stop.signal.aborted) break;
      // The agent starts another process, which has its hands free.
      if (error instanceof NotEnded) throw error;
      log().warn(`${reasonOf(error)}; trying again`);
    }
    if (performance.now() - began > RETRY.mostMs) pause = RETRY.leastMs;
    await sleep(pause, undefined, { signal: stop.signal }).catch(() => undefined);
  }
}

/** One connection's life: until Temporal or a worker fails, or `stop`. */
async function serve(
  config: ControllerWorkerConfig,
  certificates: WorkerCertificates,
  stop: AbortSignal,
): Promise<void> {
  /** Closed in the opposite order, however far it came. */
  const opened: (() => Promise<void>)[] = [];
  try {
    await serveUntilItFails(config, certificates, stop, opened);
  } finally {
    await closeAll(opened.reverse());
  }
}

/** @throws NotEnded at the first that does not close */
async function closeAll(closing: readonly (() => Promise<void>)[]): Promise<void> {
  for (const close of closing) {
    await inTime(close()).catch((error) => {
      if (error instanceof NotEnded) throw error;
      log().warn(`closing failed: ${reasonOf(error)}`);
    });
  }
}

async function serveUntilItFails(
  config: ControllerWorkerConfig,
  certificates: WorkerCertificates,
  stop: AbortSignal,
  opened: (() => Promise<void>)[],
): Promise<void> {
  const { environment } = config;
  const key = environmentKey(environment.name, environment.uuid);
  const state = await openState({ hosts: config.mongo, tls: certificates.state });
  opened.push(() => state.close());
  // Nothing that is to be done could be done here, and other workers can.
  await state.view.untilInTouch(stop);
  const presence = new PresenceObserver(state);
  opened.push(async () => presence.close());
  const document = await environmentDocument(state, stop);
  const target = await connectionOf(config, document);
  const temporal = await connectTemporal({ target });
  opened.push(() => temporal.connection.close());
  const identity = certificates.membership;
  const observer = new Observer(identity);
  opened.push(() => observer.close());
  // Beside the machine's own identity, which it keeps when it stops being a controller.
  const self = {
    machine: config.machine,
    identity,
    recordFile: path.join(path.dirname(config.ca), 'forced.json'),
    caFile: config.ca,
    keys: keyFilesIn(path.dirname(config.bootKeyFile)),
  };
  const fence = { epoch: epochHere(document, temporal) };
  const network: Network = { environment, key, hosts: config.mongo, state, observer, presence, self, fence };
  const connection = await connectWorkers(target);
  opened.push(() => connection.close());
  const side = controllerSide(state, document, certificates.state);
  const queues = [
    { name: taskQueues.workflows(key), activities: singletonActivities(), workflows: true },
    { name: taskQueues.network(key), activities: networkActivities(network) },
    ...((await mayAskCloud(document, side))
      ? [{ name: taskQueues.cloud(key), activities: askingActivities(side) }]
      : []),
  ];
  const workers = await startWorkers(connection, target.namespace, key, queues, `machine ${config.machine}`);
  opened.push(() => workers.stop());
  const upkeep = new AbortController();
  opened.push(async () => upkeep.abort());
  const stopped = new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
  await Promise.race([
    workers.failed,
    stopped,
    state.view.untilCutOff(AbortSignal.any([stop, upkeep.signal])).then((primary) => {
      throw new Error(`${primary} is primary, which this machine does not reach: the other workers go on`);
    }),
    // Another Temporal has taken over: begin again, with that one.
    untilAdopted(state, fence, upkeep.signal),
    keepVersionCurrent(temporal.client, key, AbortSignal.any([stop, upkeep.signal]), {
      upkeep: () => keepSingletons(state, temporal.client, environment),
    }),
  ]);
}

export function networkActivities(network: Network) {
  return {
    ...observeActivities(network),
    ...replicaSetActivities(network),
    ...recoveryActivities(network),
    ...environmentActivities(network),
    ...workActivities(network),
    ...ownerActivities(network),
    ...exposureActivities(network),
    ...sentinelActivities(network),
    ...rotationActivities(network),
    ...takeoverActivities(network),
  };
}

/** An instance on the local cloud that was made by a process inside another would die with it. */
async function mayAskCloud({ cloud, _id: uuid, name }: EnvironmentDocument, side: CloudSide): Promise<boolean> {
  return cloud !== 'local' && (await side.cloudFor({ name, uuid })).machinesMayAsk;
}

/** Singletons run for the environment's life: one that somebody ended is started again by whichever worker sees it first. */
async function keepSingletons(
  state: State,
  client: Temporal['client'],
  environment: ControllerWorkerConfig['environment'],
): Promise<void> {
  const isAlive = async () => (await state.environment.findOne({}))?.life === 'alive';
  if (!(await isAlive())) return;
  await ensureSingletons(client, environment);
  // Destroying may have begun, and ended them, in between.
  if (!(await isAlive())) await endSingletons(client, environment);
}

async function connectionOf(
  { environment, temporalFile, bootKeyFile }: ControllerWorkerConfig,
  { temporal }: EnvironmentDocument,
): Promise<TemporalConnection> {
  if (temporal.sealed === undefined) return JSON.parse(await readFile(temporalFile, 'utf8')) as TemporalConnection;
  const keys = await readBootKeys(keyFilesIn(path.dirname(bootKeyFile)));
  return openSealedByOneOf(temporal.sealed, keys, environment.uuid);
}

/**
 * While an environment is bootstrapped its worker is there before its documents are. Where the majority is lost it must be
 * there too, as it is what recovers; what it reads then binds nobody, since every write checks the epoch.
 */
async function environmentDocument(state: State, stop: AbortSignal): Promise<EnvironmentDocument> {
  for (;;) {
    const environment = await readEvenAlone(state, (options) => state.environment.findOne({}, options));
    if (environment !== null) return environment;
    await sleep(100, undefined, { signal: stop });
  }
}

/** The environment's document names its Temporal; a worker that polls another one would be a second lock. */
function epochHere(environment: EnvironmentDocument, { clusterId, namespace }: Temporal): number {
  const { temporal } = environment;
  if (temporal.clusterId !== clusterId || temporal.namespace !== namespace) {
    throw new QuorateError(
      'other-temporal',
      `${environment.name} belongs to Temporal ${temporal.clusterId} (${temporal.namespace}), not to ${clusterId} (${namespace}).`,
      { todo: 'Give it back its own Temporal, or move it with `quorate engine adopt`.' },
    );
  }
  return environment.epoch;
}

if (process.argv[1] && import.meta.url === new URL(`file://${process.argv[1]}`).href) {
  await endWith(runControllerWorker(process.argv[2] ?? ''));
}
