import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../src/package.js';
import { TestEnvironment } from '../test/support/environment.js';
import { Home } from '../test/support/home.js';
import { actions } from './actions.js';
import { crowd } from './crowd.js';
import { faults } from './faults.js';
import { type Bench, type Sample, seconds } from './figure.js';
import { lifecycle } from './lifecycle.js';
import { links } from './links.js';
import { machines } from './machines.js';
import { planner } from './planner.js';
import { rates } from './rates.js';
import { replace } from './replace.js';
import { singletons } from './singletons.js';
import { steadiness } from './steadiness.js';

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
  singletons,
  actions,
  planner,
  crowd,
  'machines-100': machines,
  rates,
  cli,
  quickstart,
};
