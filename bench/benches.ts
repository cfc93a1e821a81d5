import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/package.js';
import { openStore } from '../src/store/store.js';
import { TestEnvironment } from '../test/support/environment.js';
import { Home } from '../test/support/home.js';
import { onMembership } from '../test/support/temporal.js';
import { bareSet } from './bare.js';
import { faults } from './faults.js';
import { type Bench, type Sample, seconds } from './figure.js';
import { links } from './links.js';
import { planner } from './planner.js';
import { replace } from './replace.js';
import { steadiness } from './steadiness.js';

/** Bootstrap, growing, shrinking: whole commands, from the shell's view. */
const lifecycle: Bench = {
  goals: {
    bootstrap: { goal: 4 },
    'enable-ha': { goal: 5 },
    'disable-ha': { goal: 4 },
    'enable-ha-events': { goal: 200, unit: 'events' },
    'idle-controller': { goal: 300, unit: 'MB' },
  },
  async *measure(runs): AsyncIterable<Sample> {
    for (let run = 0; run < runs; run++) {
      const home = new Home();
      try {
        await home.ok('engine', 'start');
        yield {
          name: 'bootstrap',
          value: await seconds(() => home.ok('bootstrap', 'local', 'demo')),
          floor: await bareStart(),
        };
        yield { name: 'idle-controller', value: await idleMemory(home) };
        const floor = await bareChange();
        yield { name: 'enable-ha', value: await seconds(() => home.ok('enable-ha')), floor: floor.grow };
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

/** The command line's own start. */
const cli: Bench = {
  goals: { help: { goal: 0.12 }, status: { goal: 0.35 } },
  async *measure(runs): AsyncIterable<Sample> {
    const environment = await TestEnvironment.bootstrap();
    await environment.writer.stop();
    try {
      for (let run = 0; run < runs * 3; run++) {
        const floor = time([process.execPath, '-e', '0'], environment.home.env);
        const bin = join(packageRoot(), 'bin/quorate.js');
        yield { name: 'help', value: time([process.execPath, bin, '--help'], environment.home.env), floor };
        yield { name: 'status', value: time([process.execPath, bin, 'status'], environment.home.env), floor };
      }
    } finally {
      await environment.close();
    }
  },
};

function time(command: readonly string[], env: NodeJS.ProcessEnv): number {
  const began = performance.now();
  const { status, stderr } = spawnSync(command[0] ?? '', command.slice(1), { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')} failed: ${stderr}`);
  return (performance.now() - began) / 1000;
}

const quickstart: Bench = {
  goals: { quickstart: { goal: 30 } },
  async *measure(runs): AsyncIterable<Sample> {
    for (let run = 0; run < runs; run++) {
      const home = new Home();
      try {
        yield { name: 'quickstart', value: await seconds(() => home.ok('quickstart')) };
      } finally {
        await home.close();
      }
    }
  },
};

export const benches: Readonly<Record<string, Bench>> = {
  lifecycle,
  faults,
  links,
  steadiness,
  replace,
  planner,
  cli,
  quickstart,
};
