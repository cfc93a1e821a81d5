import { expect, test } from 'vitest';
import { rareBeatMs } from './beating.js';

test.each([
  [1_500, 250],
  [3_000, 500],
  [60_000, 10_000],
  [undefined, 250],
])('a watch that is given up after %s ms heartbeats every %s ms', (timeoutMs, everyMs) => {
  expect(rareBeatMs(timeoutMs, 250)).toBe(everyMs);
});
