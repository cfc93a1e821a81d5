import { TestEnvironment } from '../test/support/environment.js';
import { whyNoNamespaces } from '../test/support/namespaces.js';
import { bareSet } from './bare.js';
import { floorOf, ours } from './faults.js';
import type { Bench, Sample } from './figure.js';

/** What only instances with namespaces can have: links that are cut. Measures nothing, and says why, where there are none. */
export const links: Bench = {
  goals: { 'failover-vanish': { goal: 2.2 } },
  async *measure(runs): AsyncIterable<Sample> {
    const reason = await whyNoNamespaces();
    if (reason !== '') {
      process.stderr.write(`links: not measured: ${reason}\n`);
      return;
    }
    // Nobody is to be replaced meanwhile.
    const environment = await TestEnvironment.bootstrap(3, ['grace=1h'], 'namespace');
    await environment.writer.stop();
    const bare = await bareSet();
    try {
      await bare.start(3);
      await bare.initiate();
      await bare.grow();
      for (let run = 0; run < runs; run++) {
        yield {
          name: 'failover-vanish',
          value: await ours(environment, 'failover-vanish', run),
          // To those who remain a frozen primary is as silent as one whose link is cut.
          floor: await floorOf(bare, 'failover-freeze'),
        };
      }
    } finally {
      await bare.close();
      await environment.close();
    }
  },
};
