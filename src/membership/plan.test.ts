import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expiries, goals, observations } from '../../test/support/membership/arbitrary.js';
import { wrongs } from '../../test/support/membership/oracle.js';
import { plan } from './plan.js';
import { stillExpired } from './waits.js';

describe('whatever is seen', () => {
  test('the answer keeps every invariant, and is the same each time', () => {
    fc.assert(
      fc.property(observations, goals, expiries, (observed, goal, expired) => {
        const step = plan(observed, goal, expired);
        expect(wrongs(observed, goal, step)).toEqual([]);
        expect(plan(JSON.parse(JSON.stringify(observed)), goal, expired)).toEqual(step);
      }),
      { numRuns: 1500 },
    );
  }, 60_000);

  test('waits that said nothing any more change nothing', () => {
    fc.assert(
      fc.property(observations, goals, expiries, (observed, goal, expired) => {
        const kept = stillExpired(observed, expired);
        expect(stillExpired(observed, kept)).toEqual(kept);
        expect(wrongs(observed, goal, plan(observed, goal, kept))).toEqual([]);
      }),
    );
  });
});
