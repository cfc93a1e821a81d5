import { expect, test } from 'vitest';
import { nextBackOff } from './singleton.js';

test('who fails is left alone for longer each time, five minutes at most', () => {
  let backOff = nextBackOff(undefined, 0);
  const rests = [backOff.until];
  for (let round = 0; round < 8; round++) {
    backOff = nextBackOff(backOff, 0);
    rests.push(backOff.until);
  }
  expect(rests).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300].map((seconds) => seconds * 1000));
  expect(backOff.failures).toBe(9);
});
