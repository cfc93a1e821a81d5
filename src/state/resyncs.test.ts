import { expect, test } from 'vitest';
import { countedResyncs } from './resyncs.js';

const MINUTE = 60_000;
const at = new Date('2026-01-01T10:00:00Z');
const after = (minutes: number) => new Date(at.getTime() + minutes * MINUTE);

test('two in a row count; after an hour in which the member was well they are forgotten', () => {
  const twice = { resyncs: 2, resyncedAt: at };
  expect([10, 60, 70].map((minutes) => countedResyncs(twice, after(minutes), 10 * MINUTE))).toEqual([2, 2, 2]);
  expect(countedResyncs(twice, after(71), 10 * MINUTE)).toBe(0);
});

test('the longer a broken member is waited for, the later: until then nobody has looked whether it is well', () => {
  expect(countedResyncs({ resyncs: 1, resyncedAt: at }, after(200), 180 * MINUTE)).toBe(1);
});

test('one that was never made anew', () => {
  expect(countedResyncs({ resyncs: 0 }, at, 0)).toBe(0);
});
