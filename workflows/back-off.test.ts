import { expect, test } from 'vitest';
import { nextBackOff, stillBackingOff } from './back-off.js';

test('who fails is left alone for longer each time, five minutes at most', () => {
  let backOff = nextBackOff(undefined, 0, 0);
  const rests = [backOff.until];
  for (let round = 0; round < 8; round++) {
    backOff = nextBackOff(backOff, 0, 0);
    rests.push(backOff.until);
  }
  expect(rests).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300].map((seconds) => seconds * 1000));
  expect(backOff.failures).toBe(9);
});

test('a retry that a person asked for begins the count anew', () => {
  const third = { failures: 3, until: 8000, retries: 0 };
  expect(nextBackOff(third, 1, 5000)).toEqual({ failures: 1, until: 7000, retries: 1 });
  expect(nextBackOff(third, 0, 5000)).toEqual({ failures: 4, until: 21_000, retries: 0 });
});

test('a count of failures is forgotten five minutes after its rest', () => {
  const backOff = { '1': { failures: 1, until: 1000, retries: 0 } };
  expect(stillBackingOff(backOff, 300_999)).toEqual(backOff);
  expect(stillBackingOff(backOff, 301_000)).toEqual({});
});
