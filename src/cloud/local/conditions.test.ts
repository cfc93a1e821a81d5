import { expect, test } from 'vitest';
import { cut, EVERYBODY, HOST, healedFrom, inWords, linkHealed, NO_CONDITIONS } from './conditions.js';

const nameOf = (id: string) => id.replace('i-', 'machine ');

test('cuts add up, and two ways of one link are both', () => {
  const once = cut(NO_CONDITIONS, ['i-1', 'i-2'], 'in');
  expect(cut(once, ['i-1'], 'in')).toEqual({ ...once, cuts: [...once.cuts].reverse() });
  expect(cut(once, ['i-1'], 'out').cuts).toEqual([
    { from: 'i-2', direction: 'in' },
    { from: 'i-1', direction: 'both' },
  ]);
});

test('healing takes away what is the matter with the link, and nothing else', () => {
  const bad = { ...cut(NO_CONDITIONS, [EVERYBODY], 'both'), delayMs: 50, lossPercent: 2, clockOffsetMs: 1000 };
  expect(linkHealed(bad)).toEqual({ ...NO_CONDITIONS, clockOffsetMs: 1000 });
  expect(healedFrom(cut(NO_CONDITIONS, ['i-1', 'i-2'], 'out'), 'i-1').cuts).toEqual([
    { from: 'i-2', direction: 'out' },
  ]);
});

test('all of it is said in words', () => {
  expect(inWords(NO_CONDITIONS, nameOf)).toEqual([]);
  const cuts = cut(cut(cut(NO_CONDITIONS, [EVERYBODY], 'in'), [HOST, 'i-1'], 'both'), ['i-2'], 'out').cuts;
  const all = {
    cuts,
    delayMs: 50,
    lossPercent: 2.5,
    clockOffsetMs: -3_600_000,
    diskBytes: 64 * 2 ** 20,
    diskFull: true,
  };
  expect(inWords(all, nameOf)).toEqual([
    'cut off from the host, machine 1',
    'hears nothing from everybody',
    'not heard by machine 2',
    'delay 50 ms',
    'loss 2.5 %',
    'clock -3600 s',
    'disk 64 MiB',
    'disk full',
  ]);
});
