import { setTimeout as sleep } from 'node:timers/promises';
import { openClient } from '../src/client/open.js';
import { TestEnvironment } from '../test/support/environment.js';
import { Probe, percentile, waitFor } from './crowd/probe.js';
import { type Bench, type Sample, seconds } from './figure.js';

const MACHINES = 100;

/** Real machines: how long it takes until the agents of a hundred are there, and what other clients wait for meanwhile. */
export const machines: Bench = {
  goals: { 'add-100-machines': { goal: 60 }, 'api-p99-while-adding': { goal: 0.5 } },
  async *measure(runs, _minutes, { agents: count = MACHINES, controllers = 1 }): AsyncIterable<Sample> {
    for (let run = 0; run < runs; run++) {
      const environment = await TestEnvironment.bootstrap(controllers);
      await environment.writer.stop();
      const client = await openClient(environment.store, 'demo');
      const probe = new Probe([client]);
      try {
        await environment.whole(controllers);
        await sleep(3000);
        probe.lap();
        const value = await seconds(async () => {
          await environment.home.ok('add-machine', '-n', String(count));
          await waitFor(
            'the agents of all machines',
            async () => {
              const { machines } = await environment.status();
              return machines.filter(({ agent }) => agent === 'started').length === count;
            },
            240,
          );
        });
        yield { name: 'add-100-machines', value };
        yield { name: 'api-p99-while-adding', value: percentile(probe.lap(), 99) };
      } finally {
        await probe.close();
        await client.close();
        await environment.close();
      }
    }
  },
};
