import { expect, test } from 'vitest';
import { Silence } from './silence.js';

const counting = () => new Silence({ tickMs: 50, limitMs: 200, now: 0 });
/** The number of ticks that passed without giving up. */
const ticks = (silence: Silence, times: number[], heard = (_: number) => false) =>
  times.findIndex((now) => silence.tick(now, heard(now)));

test('gives up after the limit', () => {
  expect(ticks(counting(), [50, 100, 150, 200])).toBe(3);
});

test('any sign of life begins anew', () => {
  expect(ticks(counting(), [50, 100, 150, 200, 250, 300, 350], (now) => now === 150)).toBe(6);
});

test('a standstill of our own counts as hardly more than one tick', () => {
  expect(ticks(counting(), [50, 10_000, 10_050, 10_100])).toBe(3);
  expect(ticks(counting(), [10_000, 20_000])).toBe(-1);
});
