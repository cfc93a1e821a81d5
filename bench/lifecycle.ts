import { readFileSync } from 'node:fs';
import type { Status } from '../src/api/status.js';
import { openClient } from '../src/client/open.js';
import { openStore } from '../src/store/store.js';
import { LOOK_MS } from '../test/support/environment.js';
import { Home, until } from '../test/support/home.js';
import { onMembership } from '../test/support/temporal.js';
import { bareSet } from './bare.js';
import { type Bench, type Sample, seconds } from './figure.js';

/**
 * Bootstrap until its API answers, growing until all three vote with their agents and API servers up, shrinking until the
 * instances are gone. `-command`: until the command has ended, which also has the change's end written down, and gives
 * clients the addresses first.
 */
export const lifecycle: Bench = {
  goals: {
    bootstrap: { goal: 4 },
    'bootstrap-command': { goal: 4 },
    'enable-ha': { goal: 5 },
    'enable-ha-command': { goal: 5 },
    'disable-ha': { goal: 4 },
    'enable-ha-events': { goal: 200, unit: 'events' },
    'idle-controller': { goal: 300, unit: 'MB' },
  },
  async *measure(runs): AsyncIterable<Sample> {
    for (let run = 0; run < runs; run++) {
      const home = new Home();
      try {
        await home.ok('engine', 'start');
        yield* samples('bootstrap', await timed(home, ['bootstrap', 'local', 'demo'], anAnswer), await bareStart());
        yield { name: 'idle-controller', value: await idleMemory(home) };
        const floor = await bareChange();
        yield* samples('enable-ha', await timed(home, ['enable-ha'], allUp), floor.grow);
        yield { name: 'enable-ha-events', value: await historyLength(home) };
        const { ha } = await home.status();
        yield {
          name: 'disable-ha',
          value: await seconds(() => home.ok('disable-ha', '--keep', ha.primary === '1' ? '2' : '1')),
          floor: floor.shrink,
        };
      } finally {
        await home.close();
      }
    }
  },
};

interface Timed {
  readonly reached: number;
  readonly ended: number;
}

const samples = (name: string, { reached, ended }: Timed, floor: number): Sample[] => [
  { name, value: reached, floor },
  { name: `${name}-command`, value: ended, floor },
];

/** Seconds from the start of a command to what an operator's client then sees, and to the command's end. */
async function timed(home: Home, words: readonly string[], seen: (status: Status) => boolean): Promise<Timed> {
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  const ended = home.ok(...words).then(elapsed);
  const reached = watched(home, `what ${words.join(' ')} is for`, seen).then(elapsed);
  const [first, last] = await Promise.all([reached, ended]);
  return { reached: first, ended: last };
}

async function watched(home: Home, what: string, seen: (status: Status) => boolean): Promise<void> {
  const store = await openStore(home.env);
  await until('the operator to be enrolled', async () => (await store.credentials('demo')) !== null, 120);
  const client = await openClient(store, 'demo');
  try {
    await until(
      what,
      async () => seen((await client.request<Status>('GET', '/v1/status')).body),
      120,
      // More often, and the looking would be part of what is measured.
      LOOK_MS,
    );
  } finally {
    client.close();
  }
}

const anAnswer = () => true;

const allUp = ({ ha, controllers }: Status) =>
  ha.healthyVoters === 3 &&
  controllers.length === 3 &&
  controllers.every(({ agent, services }) => agent === 'started' && services.api?.state === 'running');

async function bareStart(): Promise<number> {
  const bare = await bareSet();
  try {
    return await seconds(async () => {
      await bare.start(1);
      await bare.initiate();
    });
  } finally {
    await bare.close();
  }
}

async function bareChange(): Promise<{ grow: number; shrink: number }> {
  const bare = await bareSet();
  try {
    await bare.start(1);
    await bare.initiate();
    const writer = bare.writer();
    const grow = await seconds(async () => {
      await bare.start(2);
      await bare.grow();
    });
    const shrink = await seconds(() => bare.shrink(1));
    await writer.stop();
    return { grow, shrink };
  } finally {
    await bare.close();
  }
}

/** Memory of machine 0's agent, API server and worker, without mongod: proportional set size. */
async function idleMemory(home: Home): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  const { controllers } = await home.status();
  const instance = controllers[0]?.instance ?? '';
  const mine = home.processes().filter(({ pid, command }) => {
    const environ = readFileSync(`/proc/${pid}/environ`, 'utf8');
    return environ.includes(`QUORATE_INSTANCE=${instance}`) && !/mongod/.test(command.split(' ')[0] ?? '');
  });
  const kilobytes = mine.map(({ pid }) =>
    Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]),
  );
  return kilobytes.reduce((sum, value) => sum + value, 0) / 1024;
}

async function historyLength(home: Home): Promise<number> {
  const store = await openStore(home.env);
  return await onMembership(store, 'demo', async (change) => (await change.describe()).historyLength);
}
