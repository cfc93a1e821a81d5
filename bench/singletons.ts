import type { SingletonSeen } from '../src/temporal/see-singletons.js';
import { TestEnvironment } from '../test/support/environment.js';
import { until } from '../test/support/home.js';
import type { Bench, Sample } from './figure.js';

/** How long nobody has the publisher's watch when the worker that has it is killed, beside two other controllers. */
export const singletons: Bench = {
  goals: { 'singleton-takeover': { goal: 3 } },
  async *measure(runs): AsyncIterable<Sample> {
    const environment = await TestEnvironment.bootstrap(3);
    await environment.writer.stop();
    try {
      for (let run = 0; run < runs; run++) yield { name: 'singleton-takeover', value: await takeover(environment) };
    } finally {
      await environment.close();
    }
  },
};

/** From the last that was heard of the one to the first of the other, in seconds, as Temporal has it. */
async function takeover(environment: TestEnvironment): Promise<number> {
  const publisher = async () =>
    (await environment.home.json<SingletonSeen[]>('singletons')).find(({ singleton }) => singleton === 'publisher');
  // Its workers must be back since the last one was killed, so that there is somebody to take over.
  await environment.whole(3);
  const before = await until('the publisher to be heard', async () => {
    const seen = await publisher();
    return seen?.watch?.lastHeartbeat ? seen : null;
  });
  const worker = before.watch?.worker ?? '';
  process.kill(Number(worker.split('@')[0]), 'SIGKILL');
  return await until('another worker to have it', async () => {
    const lost = (await publisher())?.handOvers.find(
      ({ from, why }) => from === worker && why === 'its worker was lost',
    );
    return lost?.gapSeconds;
  });
}
