import { plan } from '../src/membership/plan.js';
import { goalOf, World } from '../test/support/membership/world.js';
import type { Bench, Sample } from './figure.js';

const VOTERS = 7;
const ROUNDS = 20_000;

/** One decision of the planner at seven voters, on what is found when all is well and when three have to go. */
export const planner: Bench = {
  goals: { 'plan-done': { goal: 50, unit: 'µs' }, 'plan-shrink': { goal: 50, unit: 'µs' } },
  async *measure(runs): AsyncIterable<Sample> {
    const { seen } = new World(VOTERS, () => 1);
    for (let run = 0; run < runs; run++) {
      for (const [name, controllers] of [
        ['plan-done', VOTERS],
        ['plan-shrink', 3],
      ] as const) {
        const decide = () => {
          for (let round = 0; round < ROUNDS; round++) plan(seen, goalOf(controllers));
        };
        decide(); // Compiled by now.
        const began = performance.now();
        decide();
        yield { name, value: ((performance.now() - began) * 1000) / ROUNDS };
      }
    }
  },
};
