import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '../src/api/status.js';
import { TestEnvironment } from '../test/support/environment.js';
import { memberClient, termOf } from '../test/support/member.js';
import { whyNoNamespaces } from '../test/support/namespaces.js';
import type { Bench, Sample } from './figure.js';

/** How the link between the primary and a secondary is cut: what the secondary hears, what it says, or both. */
const WAYS = ['both', 'in', 'out'] as const;
const BUSY_PROCESSES = 32;

/** How often another primary is elected though nothing is lost: one hand-over is allowed, a lost write or controller never. */
export const steadiness: Bench = {
  goals: {
    busy: { goal: 1, unit: 'elections' },
    ...Object.fromEntries(WAYS.map((way) => [`link-cut-${way}`, { goal: 1, unit: 'elections' as const }])),
  },
  async *measure(runs, minutes): AsyncIterable<Sample> {
    for (let run = 0; run < runs; run++) yield { name: 'busy', value: await inEnvironment('', minutes, busy) };
    const reason = await whyNoNamespaces();
    if (reason !== '') {
      process.stderr.write(`links: not measured: ${reason}\n`);
      return;
    }
    for (let run = 0; run < runs; run++) {
      for (const way of WAYS) {
        yield { name: `link-cut-${way}`, value: await inEnvironment('namespace', minutes, cut(way)) };
      }
    }
  },
};

/** Begins the trouble; gives what ends it. */
type Trouble = (environment: TestEnvironment, status: Status) => Promise<() => Promise<void>>;

async function inEnvironment(region: '' | 'namespace', minutes: number, trouble: Trouble): Promise<number> {
  const environment = await TestEnvironment.bootstrap(3, [], region);
  try {
    const before = await environment.whole(3);
    const term = await termNow(environment);
    const undo = await trouble(environment, before);
    await sleep(minutes * 60_000);
    await undo();
    const after = await environment.whole(3);
    const lost = await environment.lost();
    if (lost.length > 0) throw new Error(`${lost.length} acknowledged writes are missing`);
    if (instancesOf(before) !== instancesOf(after)) {
      throw new Error(`a controller was replaced: ${instancesOf(before)} became ${instancesOf(after)}`);
    }
    return (await termNow(environment)) - term;
  } finally {
    await environment.close();
  }
}

const instancesOf = ({ controllers }: Status): string =>
  controllers
    .map(({ instance }) => instance)
    .sort()
    .join(', ');

const busy: Trouble = async () => {
  const children: ChildProcess[] = Array.from({ length: BUSY_PROCESSES }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  const end = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', end);
  return async () => {
    end();
    process.off('exit', end);
  };
};

const cut =
  (direction: (typeof WAYS)[number]): Trouble =>
  async ({ cloud }, { ha, controllers }) => {
    const instance = (primary: boolean) =>
      controllers.find(({ machine }) => (machine === ha.primary) === primary)?.instance ?? '';
    await cloud.partition(instance(false), { from: [instance(true)], direction });
    return async () => void (await cloud.heal(instance(false)));
  };

/** The set's term, as the primary has it. */
async function termNow(environment: TestEnvironment): Promise<number> {
  const {
    ha,
    controllers,
    environment: which,
  } = await environment.statusWhen('a primary', ({ ha }) => ha.primary !== null);
  const primary = controllers.find(({ machine }) => machine === ha.primary);
  if (primary === undefined) throw new Error(`the primary, machine ${ha.primary}, is no controller`);
  const client = await memberClient(environment.store, which.uuid, primary);
  try {
    return await termOf(client);
  } finally {
    await client.close();
  }
}
