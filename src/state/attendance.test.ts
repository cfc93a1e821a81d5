import { describe, expect, test } from 'vitest';
import { Attendance, type Heard } from './attendance.js';

const own = (machine: string, seq: number): Heard => ({ _id: machine, seq, session: 's' });
const roll = (server: string, seq: number, version = 1): Heard => ({
  _id: `roll-${server}`,
  seq,
  session: 's',
  version,
});

/** Looks every half second; `heard` and `turned` of each look. */
function watch() {
  const attendance = new Attendance();
  let now = -500;
  return {
    attendance,
    look: (heard: readonly Heard[], turned: Readonly<Record<string, readonly string[]>> = {}) => {
      now += 500;
      attendance.look(heard, new Map(Object.entries(turned)), now);
    },
  };
}

test('who is on a roll is there as long as it is written', () => {
  const { attendance, look } = watch();
  look([roll('0', 1)], { 'roll-0': ['7', '8'] });
  for (let seq = 2; seq < 20; seq++) look([roll('0', seq)]);
  expect(attendance.silentMs('7')).toBe(0);
  for (let n = 0; n < 4; n++) look([roll('0', 19)]);
  expect(attendance.silentMs('7')).toBe(2000);
  expect(attendance.count(2000)).toEqual({ heard: 0, silent: 2 });
});

test('who left a roll is silent from then on, until it is on another one', () => {
  const { attendance, look } = watch();
  look([roll('0', 1), roll('1', 1)], { 'roll-0': ['7', '8'], 'roll-1': ['9'] });
  look([roll('0', 2, 2), roll('1', 2)], { 'roll-0': ['8'] });
  look([roll('0', 3, 2), roll('1', 3)]);
  look([roll('0', 4, 2), roll('1', 4)]);
  expect([attendance.silentMs('7'), attendance.silentMs('8')]).toEqual([1500, 0]);
  expect(attendance.missedMs('7')).toBe(1500);
  look([roll('0', 5, 2), roll('1', 5, 2)], { 'roll-1': ['9', '7'] });
  expect(attendance.silentMs('7')).toBe(0);
  expect(attendance.connected).toBe(3);
});

test('who moves from the roll of a server that died to another one was silent meanwhile only', () => {
  const { attendance, look } = watch();
  look([roll('0', 1), roll('1', 1)], { 'roll-0': ['7'], 'roll-1': ['9'] });
  for (let seq = 2; seq < 8; seq++) look([roll('0', 1), roll('1', seq)]);
  expect(attendance.silentMs('7')).toBe(3000);
  look([roll('0', 1), roll('1', 8, 2)], { 'roll-1': ['9', '7'] });
  expect(attendance.silentMs('7')).toBe(0);
  // The cleaner removes the dead one's.
  look([roll('1', 9, 2)]);
  look([roll('1', 10, 2)]);
  expect(attendance.silentMs('7')).toBe(0);
});

test('a roll that is removed with those on it leaves them silent for as long as it was', () => {
  const { attendance, look } = watch();
  look([roll('0', 1), roll('1', 1)], { 'roll-0': ['7'], 'roll-1': ['9'] });
  for (let seq = 2; seq < 6; seq++) look([roll('0', 1), roll('1', seq)]);
  look([roll('1', 6)]);
  expect(attendance.silentMs('7')).toBe(2500);
  expect(attendance.count(1000)).toEqual({ heard: 1, silent: 1 });
});

test('one that beats for itself is judged by its own beats, whatever roll it is on', () => {
  const { attendance, look } = watch();
  look([own('3', 1), roll('0', 1)], { 'roll-0': ['3'] });
  for (let seq = 2; seq < 6; seq++) look([own('3', 1), roll('0', seq)]);
  expect(attendance.silentMs('3')).toBe(2000);
});

test('silence is held against nobody while nothing at all is written', () => {
  const { attendance, look } = watch();
  look([own('0', 1), roll('0', 1)], { 'roll-0': ['7'] });
  look([own('0', 2), roll('0', 2, 2)], { 'roll-0': [] });
  for (let n = 0; n < 20; n++) look([own('0', 2), roll('0', 2, 2)]);
  expect(attendance.silentMs('7')).toBeGreaterThan(10_000);
  expect(attendance.missedMs('7')).toBe(500);
});

describe('whom this process never saw', () => {
  test('is not silent before it is known that there is such a machine, and is then', () => {
    const { attendance, look } = watch();
    look([own('0', 1)]);
    expect(attendance.silentMs('7')).toBe(0);
    attendance.know(['7']);
    for (let seq = 2; seq < 6; seq++) look([own('0', seq)]);
    expect(attendance.silentMs('7')).toBe(2000);
  });

  test('is forgotten with its machine', () => {
    const { attendance, look } = watch();
    look([own('0', 1)]);
    attendance.know(['7']);
    look([own('0', 2)]);
    expect(attendance.count(100)).toEqual({ heard: 1, silent: 1 });
    attendance.know([]);
    expect(attendance.count(100)).toEqual({ heard: 1, silent: 0 });
  });
});

test('a roll is read anew when it has turned, or its server began anew', () => {
  const { attendance, look } = watch();
  expect(attendance.stale([own('0', 1), roll('0', 1)])).toEqual(['roll-0']);
  look([roll('0', 1)], { 'roll-0': ['7'] });
  expect(attendance.stale([roll('0', 2)])).toEqual([]);
  expect(attendance.stale([roll('0', 2, 2)])).toEqual(['roll-0']);
  expect(attendance.stale([{ ...roll('0', 2), session: 'another' }])).toEqual(['roll-0']);
});
