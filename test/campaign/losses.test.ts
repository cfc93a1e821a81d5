import { describe, expect, test } from 'vitest';
import type { MachineState, Manner } from './acts.js';
import { losses, type Outage, outageOf, type Part, type Replacement, replacementsOf, undeserved } from './losses.js';

const GRACES = { silentMs: 15_000, stoppedMs: 30_000, recoversMs: 10_000, lateMs: 20_000 };
const BOTH = ['agent', 'member'] as const;

function outage(kind: Outage['kind'], from: number, to: number | null, parts: readonly Part[] = BOTH): Outage {
  return { machine: '2', kind, parts, from: from * 1000, to: to === null ? null : to * 1000 };
}

function replacement(second: number, machines: readonly string[] = ['2'], state = 'done'): Replacement {
  return { id: `demo-${second}`, machines, state, startedAt: second * 1000 };
}

describe('a replacement is deserved', () => {
  test.each<[string, Outage[], number]>([
    ['at once by one that was ended for good', [outage('terminated', 10, null)], 11],
    ['by one that is frozen for its grace', [outage('unheard', 10, null)], 26],
    ['by one that thawed when its grace was over', [outage('unheard', 10, 26)], 30],
    ['by one that took long to come back', [outage('unheard', 10, 20)], 27],
    ['by one that was stopped for the grace of stopped ones', [outage('stopped', 10, null)], 41],
    ['by one that is off, which is silent too', [outage('stopped', 10, null)], 26],
    ['by faults that follow each other closely', [outage('unheard', 10, 16), outage('stopped', 18, 25)], 27],
    [
      'by one whose agent and member were killed again and again',
      [outage('unheard', 10, 20, ['agent']), outage('unheard', 11, 21, ['member'])],
      27,
    ],
  ])('%s', (_, outages, second) => {
    expect(undeserved([replacement(second)], outages, GRACES)).toEqual([]);
  });
});

describe('a replacement is a failure', () => {
  test.each<[string, Outage[], number]>([
    ['where nothing was done', [], 20],
    ['where it was done to another one', [{ ...outage('terminated', 10, null), machine: '1' }], 20],
    ['before its machine was ended', [outage('terminated', 30, null)], 20],
    ['before the grace is over', [outage('unheard', 10, null)], 20],
    ['of one that was back in time', [outage('unheard', 10, 12)], 27],
    ['of one that has been back for long', [outage('unheard', 10, 40)], 90],
    ['of one whose agent alone is away', [outage('unheard', 10, null, ['agent'])], 60],
    [
      'of one whose agent and member were away one after the other',
      [outage('unheard', 0, 20, ['agent']), outage('unheard', 31, 50, ['member'])],
      52,
    ],
  ])('%s', (_, outages, second) => {
    expect(undeserved([replacement(second)], outages, GRACES)).toEqual([
      expect.stringMatching(new RegExp(`^demo-${second} replaces machine 2, which was neither ended nor away`)),
    ]);
  });

  test('as soon as one of the machines that it is about did not deserve it', () => {
    expect(undeserved([replacement(20, ['2', '3'])], [outage('terminated', 10, null)], GRACES)).toEqual([
      'demo-20 replaces machine 3, which was neither ended nor away for its grace: nothing was done to it',
    ]);
  });

  test('where it brings what is missing though none before it failed', () => {
    const failed = replacement(10, ['2'], 'failed');
    const outages = [outage('terminated', 5, null)];
    expect(undeserved([failed, replacement(90, [])], outages, GRACES)).toEqual([]);
    expect(undeserved([replacement(10), replacement(90, [])], outages, GRACES)).toEqual([
      expect.stringMatching(/^demo-90 brings what is missing/),
    ]);
  });
});

test('each machine that was ended or away for its grace is one loss', () => {
  const outages = [
    outage('terminated', 10, null),
    outage('terminated', 11, null),
    { ...outage('unheard', 10, 12), machine: '3' },
    { ...outage('unheard', 10, 40), machine: '4' },
    { ...outage('stopped', 10, null), machine: '5' },
  ];
  expect(losses(outages, GRACES, 20_000)).toEqual(['2', '4']);
  expect(losses(outages, GRACES, 60_000)).toEqual(['2', '4', '5']);
});

test('what a fault takes out of sight', () => {
  const manner = { from: 'everybody', way: 'both', delayMs: 0, lossPercent: 0, clockOffsetMs: 0 } as Manner;
  const kind = (state: MachineState, more: Partial<Manner> = {}) =>
    outageOf(state, { ...manner, ...more })?.kind ?? null;
  expect(kind('frozen')).toBe('unheard');
  expect(kind('partitioned')).toBe('unheard');
  expect(kind('partitioned', { from: 'another' })).toBe(null);
  expect(kind('degraded')).toBe(null);
  expect(kind('off')).toBe('stopped');
  expect(kind('clock-off')).toBe('stopped');
});

test('the sentinel’s replacements are found among all changes', () => {
  const change = (id: string, kind: string, by: string, summary: string, startedAt = '1970-01-01T00:00:20Z') => {
    return { id, kind, by, summary, state: 'done', startedAt };
  };
  const changes = [
    change('demo-4', 'replace', 'sentinel', 'demo: replace machine 2, 11, lost, asked for by sentinel'),
    change('demo-3', 'replace', 'ana', 'demo: replace machine 1, asked for by ana'),
    change('demo-2', 'replace', 'sentinel', 'demo: replace what is lost, lost, asked for by sentinel', '1970-01-01'),
    change('demo-1', 'bootstrap', 'ana', 'demo: start with 3 controllers on local, asked for by ana'),
  ];
  expect(replacementsOf(changes)).toEqual([
    { id: 'demo-2', machines: [], state: 'done', startedAt: 0 },
    { id: 'demo-4', machines: ['2', '11'], state: 'done', startedAt: 20_000 },
  ]);
});
