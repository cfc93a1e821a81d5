import { expect, test } from 'vitest';
import { Rate } from './rate.js';

test('a burst at once, then so many a second, each source by itself', () => {
  const rate = new Rate({ perSecond: 2, burst: 3 });
  expect([0, 0, 0, 0].map((now) => rate.take('a', now))).toEqual([true, true, true, false]);
  expect(rate.take('b', 0)).toBe(true);
  expect(rate.take('a', 400)).toBe(false);
  expect(rate.allows('a', 500)).toBe(true);
  expect(rate.take('a', 500)).toBe(true);
  expect(rate.allows('a', 500)).toBe(false);
  expect([60_000, 60_000, 60_000, 60_000].map((now) => rate.take('a', now))).toEqual([true, true, true, false]);
});
