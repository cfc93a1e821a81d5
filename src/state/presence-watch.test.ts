import { describe, expect, test } from 'vitest';
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

test('agents are counted by whether they are heard', () => {
  const watch = new PresenceWatch();
  const beats = (seq: number) => [...beat(1), { _id: '2', seq, session: 's' } as PresenceDocument];
  for (let look = 0; look <= 6; look += 1) watch.look(beats(look), look * 500);
  expect(watch.count(3000)).toEqual({ heard: 1, silent: 1 });
  expect(watch.count(3001)).toEqual({ heard: 2, silent: 0 });
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

describe('silence that is held against somebody', () => {
  const beats = (...seqs: number[]) =>
    seqs.map((seq, machine) => ({ _id: `${machine}`, seq, session: 's' }) as PresenceDocument);

  test('counts while somebody else is heard', () => {
    const watch = new PresenceWatch();
    for (let look = 0; look <= 10; look++) watch.look(beats(look, 7), look * 500);
    expect(watch.missedMs('0')).toBe(0);
    expect(watch.missedMs('1')).toBe(5000);
    watch.look(beats(11, 8), 5500);
    expect(watch.missedMs('1')).toBe(0);
  });

  test('counts whole although not every look finds that somebody was heard', () => {
    const watch = new PresenceWatch();
    for (let look = 0; look <= 12; look++) watch.look(beats(Math.floor(look / 3), 7), look * 500);
    expect(watch.missedMs('1')).toBe(6000);
  });

  test('does not count while no API server writes, and goes on where it was once one does', () => {
    const watch = new PresenceWatch();
    watch.look(beats(1, 7), 0);
    watch.look(beats(2, 7), 500);
    for (let look = 2; look <= 600; look++) watch.look(beats(2, 7), look * 500);
    expect(watch.silentMs('0')).toBe(299_500);
    expect(watch.silentMs('1')).toBe(300_000);
    expect(watch.missedMs('0')).toBe(0);
    expect(watch.missedMs('1')).toBe(500);
    // The first is heard before the other can be.
    watch.look(beats(3, 7), 300_500);
    expect(watch.missedMs('1')).toBe(500);
    watch.look(beats(4, 7), 301_000);
    expect(watch.missedMs('1')).toBe(1000);
  });

  test('nobody is held to have been silent while a single agent is, nor while the observer stood still', () => {
    const watch = new PresenceWatch();
    for (let look = 0; look <= 10; look++) watch.look(beats(7), look * 500);
    expect(watch.silentMs('0')).toBe(5000);
    expect(watch.missedMs('0')).toBe(0);
    const frozen = new PresenceWatch();
    frozen.look(beats(1, 7), 0);
    frozen.look(beats(1, 7), 500);
    frozen.look(beats(2, 7), 3_600_000);
    expect(frozen.missedMs('1')).toBe(0);
  });
});
