import { expect, test } from 'vitest';
import { Rate } from './rate.js';

test('a try given back did not count, and how long the next one takes is said', () => {
  const rate = new Rate({ perSecond: 2, burst: 1 });
  expect(rate.restMs('a', 0)).toBe(0);
  expect(rate.take('a', 0)).toBe(true);
  expect(rate.restMs('a', 0)).toBe(500);
  expect(rate.restMs('a', 400)).toBe(100);
  rate.giveBack('a', 0);
  expect(rate.take('a', 0)).toBe(true);
  expect(rate.take('a', 0)).toBe(false);
});

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
