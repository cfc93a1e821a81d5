import { expect, test } from 'vitest';
import type { PresenceDocument } from './documents.js';
import { PresenceWatch } from './presence-watch.js';

const beat = (seq: number, session = 's') => [{ _id: '1', seq, session } as PresenceDocument];

test('silence counts from the last change of the sequence number', () => {
  const watch = new PresenceWatch();
  expect(watch.silentMs('1')).toBe(0);
  watch.look(beat(1), 0);
  watch.look(beat(1), 500);
  watch.look(beat(1), 1000);
  expect(watch.silentMs('1')).toBe(1000);
  watch.look(beat(2), 1500);
  expect(watch.silentMs('1')).toBe(0);
  watch.look(beat(2), 2000);
  watch.look(beat(2, 'another run'), 2500);
  expect(watch.silentMs('1')).toBe(0);
});

test('nobody is silent because the observer stood still', () => {
  const watch = new PresenceWatch();
  watch.look(beat(1), 0);
  watch.look(beat(1), 3_600_000);
  expect(watch.silentMs('1')).toBe(0);
  watch.look(beat(1), 3_600_500);
  expect(watch.silentMs('1')).toBe(500);
});

test('one that was forgotten begins anew', () => {
  const watch = new PresenceWatch();
  watch.look(beat(1), 0);
  watch.look([], 500);
  watch.look(beat(1), 1000);
  expect(watch.silentMs('1')).toBe(0);
});
