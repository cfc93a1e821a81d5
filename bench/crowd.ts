import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '../src/api/status.js';
import { openClient } from '../src/client/open.js';
import type { State } from '../src/state/state.js';
import { TestEnvironment } from '../test/support/environment.js';
import { addProvisioned, groundOf, stateOf } from './crowd/machines.js';
import { Probe, percentile, waitFor, watched } from './crowd/probe.js';
import { pidsOf, processorSeconds, residentMb } from './crowd/processes.js';
import { RemoteCrowd } from './crowd/remote.js';
import { type Bench, type Sample, seconds } from './figure.js';

const SIZES = [10, 100, 1000, 5000];
/** Handshakes of one process would wait for each other: there is a processor for each of two. */
const PROCESSES = 2;
const FEW = 500;
const WATCHERS = 100;
const CHANGES = 30;
const IDLE_MS = 20_000;
/** After many have come: what they left behind is cleared away, and their number is told. */
const SETTLE_MS = 6000;

const GOALS = {
  missing: { goal: 0, unit: 'agents' },
  'lost-idle': { goal: 0, unit: 'connections' },
  'idle-cpu': { goal: 0.5, unit: 'cores' },
  memory: { goal: 60, unit: 'KB' },
  'presence-writes': { goal: 1, unit: '1/s' },
  'status-json': { goal: 0.5, unit: 's' },
  'status-table': { goal: 1.5, unit: 's' },
  'machines-json': { goal: 0.5, unit: 's' },
  'watchers-p99': { goal: 0.1, unit: 's' },
  'back-after-kill': { goal: 5, unit: 's' },
  'api-p99-meanwhile': { goal: 0.5, unit: 's' },
} as const;

/** What many agents cost, as their number grows. One environment, to which more of them come. */
export const crowd: Bench = {
  goals: Object.fromEntries(
    SIZES.flatMap((size) => Object.entries(GOALS).map(([name, goal]) => [`${name}-${size}`, goal])),
  ),
  async *measure(_runs, _minutes, { agents: most = SIZES.at(-1) as number, controllers = 3 }): AsyncIterable<Sample> {
    // Whoever is stopped here starts again.
    const environment = await TestEnvironment.bootstrap(controllers, ['stopped-grace=1h', 'grace=1h']);
    await environment.writer.stop();
    const many = await RemoteCrowd.at(await groundOf(environment), PROCESSES);
    const state = await stateOf(environment);
    try {
      await environment.whole(controllers);
      const controllersOf = ofControllers(environment, await environment.status());
      await sleep(SETTLE_MS);
      let count = 0;
      for (const size of SIZES.filter((one) => one <= most)) {
        const before = controllersOf.apiMb();
        const took = await seconds(async () => many.join(await addProvisioned(state, size - count)));
        process.stderr.write(`${size} agents came in ${took.toFixed(1)} s: ${JSON.stringify(await many.there())}\n`);
        await sleep(SETTLE_MS);
        const grown = (controllersOf.apiMb() - before) * 1000;
        // What a few cost is lost in what the process needs anyway.
        if (size - count >= FEW) yield { name: `memory-${size}`, value: grown / (size - count) };
        count = size;
        for await (const { name, value } of figures(environment, state, many, size))
          yield { name: `${name}-${size}`, value };
      }
    } finally {
      await many.close();
      await state.close();
      await environment.close();
    }
  },
};

async function* figures(
  environment: TestEnvironment,
  state: State,
  many: RemoteCrowd,
  size: number,
): AsyncIterable<Sample> {
  const status = await environment.status();
  const started = status.machines.filter(({ agent }) => agent === 'started').length;
  yield { name: 'missing', value: size - started };
  await many.ended();
  const { cpu, writes } = await idle(environment, state, status);
  yield { name: 'lost-idle', value: countOf(await many.ended(), 'while nothing happened') };
  yield { name: 'idle-cpu', value: cpu };
  yield { name: 'presence-writes', value: writes };
  for (const [name, args] of [
    ['status-json', ['status', '--format', 'json']],
    ['status-table', ['status']],
    ['machines-json', ['machines', '--format', 'json']],
  ] as const) {
    for (let run = 0; run < 3; run++) yield { name, value: await seconds(() => environment.home.ok(...args)) };
  }
  const clients = await Promise.all(Array.from({ length: WATCHERS }, () => openClient(environment.store, 'demo')));
  try {
    yield { name: 'watchers-p99', value: percentile(await watched(clients, environment.client, CHANGES), 99) };
    if (status.controllers.length > 1) yield* back(environment, many, size, new Probe(clients.slice(0, 5)));
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

/**
 * What all processes of all controllers take while nothing happens, and how often presence is written by the controller that
 * writes it most: its roll is in each of its batches, and counts them.
 */
async function idle(environment: TestEnvironment, state: State, status: Status) {
  const batches = async () => {
    const rolls = await state.presence.find({ _id: /^roll-/ }, { projection: { seq: 1 } }).toArray();
    return new Map(rolls.map(({ _id, seq }) => [_id, seq]));
  };
  const pids = ofControllers(environment, status).pids();
  const [before, cpu, began] = [await batches(), processorSeconds(pids), performance.now()];
  await sleep(IDLE_MS);
  const took = processorSeconds(pids) - cpu;
  const lasted = (performance.now() - began) / 1000;
  const written = [...(await batches())].map(([id, seq]) => seq - (before.get(id) ?? 0));
  return { cpu: took / lasted, writes: Math.max(...written) / lasted };
}

/** The power of the primary's controller is cut, with those agents that are connected there. */
async function* back(
  environment: TestEnvironment,
  many: RemoteCrowd,
  size: number,
  probe: Probe,
): AsyncIterable<Sample> {
  const { ha, controllers } = await environment.status();
  const hit = controllers.find(({ machine }) => machine === ha.primary);
  if (hit === undefined) throw new Error('there is no primary');
  const there = async () => {
    const all = await many.there();
    return Object.entries(all).reduce((sum, [machine, n]) => (machine === hit.machine ? sum : sum + n), 0);
  };
  try {
    await sleep(3000);
    const quiet = percentile(probe.lap(), 99);
    const lost = (await many.there())[hit.machine] ?? 0;
    const began = performance.now();
    await environment.cloud.powerOff(hit.instance);
    await waitFor('all agents to be back', async () => (await there()) === size, 120);
    const took = (performance.now() - began) / 1000;
    countOf(await many.ended(), `until all were back after ${took.toFixed(1)} s`);
    await sleep(2000);
    process.stderr.write(`${lost} of ${size} came back; p99 of others before: ${quiet.toFixed(3)} s\n`);
    yield { name: 'back-after-kill', value: took };
    yield { name: 'api-p99-meanwhile', value: percentile(probe.lap(), 99) };
  } finally {
    await probe.close();
    await environment.cloud.startAgain(hit.instance);
    await environment.whole(controllers.length);
  }
}

/** Of connections that ended, with the reasons on stderr. */
function countOf(ended: Readonly<Record<string, number>>, when: string): number {
  const count = Object.values(ended).reduce((sum, each) => sum + each, 0);
  if (count > 0) process.stderr.write(`${count} connections ended ${when}: ${JSON.stringify(ended)}\n`);
  return count;
}

function ofControllers({ store }: TestEnvironment, { environment, controllers }: Status) {
  const directories = controllers.map(({ instance }) => join(store.dirs.localCloud, environment.uuid, instance));
  return {
    pids: () => directories.flatMap(pidsOf),
    /** Of their API servers, where connections are. */
    apiMb: () => controllers.reduce((sum, { services }) => sum + residentMb(services.api?.pid ?? 0), 0),
  };
}
