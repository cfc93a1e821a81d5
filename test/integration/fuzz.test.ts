import { expect, test } from 'vitest';
import { fuzz, MAY_GROW_MIB, outcomeText, SLOWEST_MS } from '../fuzz/fuzz.js';

/**
 * A few thousand inputs, other ones each time; a failure says from which seed they were drawn. More of the same:
 * `npm run fuzz -- --inputs 1000000`.
 */
test('no input crashes the API server, fails in it, makes it grow or keeps others waiting', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const outcome = await fuzz({
    seed,
    examples: 5,
    edges: ['admin'],
    bytes: 12_000,
    goesOn: ({ inputs }) => inputs === 0,
    tell: (line) => console.log(line),
  });
  console.log(`seed ${seed}\n${outcomeText(outcome)}`);
  expect(outcome.defects, `seed ${seed}`).toEqual([]);
  expect(outcome.inputs).toBeGreaterThan(13_000);
  expect(outcome.resident.last - outcome.resident.first).toBeLessThan(MAY_GROW_MIB);
  expect(outcome.slowestMs).toBeLessThan(SLOWEST_MS);
  // A minute and a half where nothing else runs.
}, 480_000);
