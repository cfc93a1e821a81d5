import type { Status } from '../src/api/status.js';
import { ApiClient } from '../src/client/client.js';
import { SteadyWriter } from '../src/client/steady-writer.js';
import { TestEnvironment } from '../test/support/environment.js';
import { type BareSet, bareSet } from './bare.js';
import type { Bench, Sample } from './figure.js';

type Fault =
  | 'failover-kill'
  | 'secondary-kill'
  | 'failover-instance'
  | 'failover-freeze'
  | 'failover-vanish'
  | 'secondary-freeze'
  | 'handover'
  | 'switchover';

/** How long a client waits between two acknowledged writes around one fault, three controllers. */
export const faults: Bench = {
  goals: {
    'failover-kill': { goal: 0.1 },
    'secondary-kill': { goal: 0.1 },
    'failover-instance': { goal: 0.2 },
    'failover-freeze': { goal: 2.2 },
    'secondary-freeze': { goal: 0.4 },
    handover: { goal: 0.1 },
    switchover: { goal: 0.08 },
  },
  async *measure(runs): AsyncIterable<Sample> {
    // Whoever is stopped here starts again.
    const environment = await TestEnvironment.bootstrap(3, ['stopped-grace=1h', 'grace=1h']);
    await environment.writer.stop();
    const bare = await bareSet();
    try {
      await bare.start(3);
      await bare.initiate();
      await bare.grow();
      for (let run = 0; run < runs; run++) {
        for (const fault of [
          'failover-kill',
          'secondary-kill',
          'secondary-freeze',
          'handover',
          'switchover',
          'failover-instance',
          'failover-freeze',
        ] as const) {
          yield { name: fault, value: await ours(environment, fault, run), floor: await floorOf(bare, fault) };
        }
      }
    } finally {
      await bare.close();
      await environment.close();
    }
  },
};

/** Where the writing client is connected: to another controller, or to the one that is hit. */
function contact(fault: Fault, status: Status, primary: string): string[] {
  const [hit, others] = [
    status.controllers.filter(({ machine }) => machine === primary),
    status.controllers.filter(({ machine }) => machine !== primary),
  ];
  const order = fault === 'failover-instance' ? [...hit, ...others] : [...others, ...hit];
  return order.map(({ api }) => api);
}

/** Longest wait of a client between two acknowledged writes around one fault, in seconds. Afterwards all is well again. */
export async function ours(environment: TestEnvironment, fault: Fault, run: number): Promise<number> {
  const status = await environment.whole(3);
  const primary = status.ha.primary ?? '';
  const secondary = status.controllers.filter(({ machine }) => machine !== primary)[run % 2]?.machine ?? '';
  const credentials = await environment.store.credentials('demo');
  if (!credentials) throw new Error('no credentials');
  const client = new ApiClient({
    environment: status.environment,
    addresses: contact(fault, status, primary),
    tls: credentials,
  });
  const writer = new SteadyWriter(client, `bench-${fault}-${run}-${Date.now()}`);
  writer.start();
  await new Promise((resolve) => setTimeout(resolve, 2500));
  writer.lap();
  const undo = await act(environment, fault, primary, secondary);
  await new Promise((resolve) => setTimeout(resolve, 4000));
  const { longestWait } = writer.lap();
  await undo();
  await writer.stop();
  const missing = await writer.missing();
  client.close();
  if (missing.length > 0) throw new Error(`${fault}: ${missing.length} acknowledged writes are missing`);
  await environment.whole(3);
  return longestWait;
}

async function act(
  environment: TestEnvironment,
  fault: Fault,
  primary: string,
  secondary: string,
): Promise<() => Promise<void>> {
  const nothing = async () => undefined;
  const cloud = environment.cloud;
  switch (fault) {
    case 'failover-kill':
      process.kill(await environment.pidOf(primary, 'mongod'), 'SIGKILL');
      return nothing;
    case 'secondary-kill':
      process.kill(await environment.pidOf(secondary, 'mongod'), 'SIGKILL');
      return nothing;
    case 'secondary-freeze': {
      const instance = await environment.instanceOf(secondary);
      await cloud.pause(instance);
      return async () => void (await cloud.resume(instance));
    }
    case 'failover-freeze': {
      const instance = await environment.instanceOf(primary);
      await cloud.pause(instance);
      return async () => void (await cloud.resume(instance));
    }
    case 'failover-vanish': {
      const instance = await environment.instanceOf(primary);
      await cloud.partition(instance);
      return async () => void (await cloud.heal(instance));
    }
    case 'failover-instance': {
      const instance = await environment.instanceOf(primary);
      await cloud.powerOff(instance);
      return async () => void (await cloud.startAgain(instance));
    }
    case 'handover': {
      const instance = await environment.instanceOf(primary);
      await cloud.stop(instance);
      return async () => void (await cloud.startAgain(instance));
    }
    case 'switchover':
      await environment.home.ok('switchover', '--to', secondary);
      return nothing;
  }
}

/** The same for bare mongods, and someone quick who stands up at once. */
export async function floorOf(bare: BareSet, fault: Exclude<Fault, 'failover-vanish'>): Promise<number> {
  const indices = [0, 1, 2];
  const states = await Promise.all(indices.map((index) => bare.admin(index).command({ hello: 1 })));
  const primary = states.findIndex(({ isWritablePrimary }) => isWritablePrimary);
  const others = indices.filter((index) => index !== primary);
  const writer = bare.writer();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  writer.lap();
  switch (fault) {
    // A bare set has nothing but mongods: with the primary's instance its mongod dies, and the client dials again.
    case 'failover-instance':
    case 'failover-kill':
      await bare.kill(primary);
      await bare.stepUp(others);
      break;
    case 'secondary-kill':
      bare.process(others[0] ?? 0).kill('SIGKILL');
      break;
    case 'secondary-freeze':
      bare.process(others[0] ?? 0).kill('SIGSTOP');
      break;
    case 'failover-freeze': {
      bare.process(primary).kill('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 500));
      await bare.stepUp(others);
      await bare.restart(others[1] ?? 0);
      break;
    }
    case 'handover':
    case 'switchover':
      await bare.follow(others[1] ?? 0, others[0] ?? 0);
      writer.lap();
      await bare.stepUp([others[0] ?? 0]);
      break;
  }
  await new Promise((resolve) => setTimeout(resolve, 4000));
  const longest = writer.lap();
  await writer.stop();
  await bare.heal();
  return longest;
}
