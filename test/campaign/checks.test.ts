import { describe, expect, test } from 'vitest';
import { checkList, checkListReads, checkRegisterReads, checkSet, withoutUndone } from './checks.js';
import type { Final, Outcome, Read, Write } from './history.js';

const final = (found: Record<string, [number, string]>): Final =>
  new Map(Object.entries(found).map(([key, [version, value]]) => [key, { version, value }]));

function write(key: string, value: string, outcome: Outcome, [invokedAt, returnedAt] = [0, 1], version = 0): Write {
  const why = outcome === 'ok' ? '' : 'told so';
  return { kind: 'write', client: 0, key, value, version, element: value, outcome, why, invokedAt, returnedAt };
}

function read(key: string, version: number, value: string, [invokedAt, returnedAt] = [5, 6]): Read {
  return { kind: 'read', client: 0, key, version, value, outcome: 'ok', why: '', invokedAt, returnedAt };
}

const whats = (anomalies: readonly { what: string }[]) => anomalies.map(({ what }) => what);

describe('the set', () => {
  test('holds what was acknowledged; what is unknown may be there or not', () => {
    const writes = [
      write('a', '1', 'ok'),
      write('b', '2', 'unknown'),
      write('c', '3', 'unknown'),
      write('d', '4', 'fail'),
    ];
    expect(checkSet(writes, final({ a: [1, '1'], b: [1, '2'] }))).toEqual([]);
  });

  test.each<[string, Write[], Record<string, [number, string]>, RegExp]>([
    ['an acknowledged write that is gone', [write('a', '1', 'ok')], {}, /a: was acknowledged and is not there/],
    ['one that failed and is there', [write('a', '1', 'fail')], { a: [1, '1'] }, /failed, and is there/],
    ['one that was written twice', [write('a', '1', 'ok')], { a: [2, '1'] }, /written 2 times/],
    ['another value', [write('a', '1', 'ok')], { a: [1, '2'] }, /is 2, but 1 was written/],
    ['one that nobody wrote', [], { a: [1, '1'] }, /nobody wrote it/],
  ])('rejects %s', (_, writes, found, what) => {
    expect(whats(checkSet(writes, final(found)))).toEqual([expect.stringMatching(what)]);
  });
});

describe('a list', () => {
  test('keeps the order of what was acknowledged; those at the same time may stand either way', () => {
    const writes = [write('l', 'a', 'ok', [0, 5]), write('l', 'b', 'ok', [1, 4]), write('l', 'c', 'unknown', [6, 9])];
    expect(checkList('l', writes, final({ l: [3, 'b a c'] }))).toEqual([]);
    expect(checkList('l', writes, final({ l: [2, 'a b'] }))).toEqual([]);
  });

  test('an unknown append may come in long after it was given up', () => {
    const writes = [write('l', 'a', 'unknown', [0, 1]), write('l', 'b', 'ok', [5, 6])];
    expect(checkList('l', writes, final({ l: [2, 'b a'] }))).toEqual([]);
  });

  test.each<[string, Write[], string, RegExp]>([
    [
      'a lost element',
      [write('l', 'a', 'ok'), write('l', 'b', 'ok', [2, 3])],
      'b',
      /a was acknowledged and is not there/,
    ],
    ['an element twice', [write('l', 'a', 'ok')], 'a a', /a is there twice/],
    ['a failed element', [write('l', 'a', 'fail')], 'a', /a failed, and is there/],
    ['an element of nobody', [], 'a', /a is there, and nobody wrote it/],
    [
      'a wrong order',
      [write('l', 'a', 'ok', [0, 1]), write('l', 'b', 'ok', [2, 3])],
      'b a',
      /a was acknowledged before b/,
    ],
    [
      'a wrong order far apart',
      [write('l', 'a', 'ok', [0, 1]), write('l', 'b', 'ok', [0, 9]), write('l', 'c', 'ok', [2, 3])],
      'c b a',
      /a was acknowledged before c began, and comes after it/,
    ],
  ])('rejects %s', (_, writes, value, what) => {
    expect(whats(checkList('l', writes, final({ l: [1, value] })))).toEqual([expect.stringMatching(what)]);
  });

  test('every read is what the list begins with', () => {
    const found = final({ l: [3, 'a b c'] });
    expect(checkListReads('l', [read('l', 0, ''), read('l', 2, 'a b')], found)).toEqual([]);
    expect(whats(checkListReads('l', [read('l', 2, 'a x')], found))).toEqual([
      'l: x was read at place 2, where b is in the end',
    ]);
    expect(whats(checkListReads('l', [read('l', 4, 'a b c d')], found))).toEqual([
      expect.stringMatching(/d was read at place 4/),
    ]);
  });
});

describe('reads of a register', () => {
  const writes = [
    write('r', 'v1', 'ok', [0, 1]),
    write('r', 'v2', 'unknown', [2, 3], 1),
    write('r', 'v3', 'fail', [4, 5], 1),
  ];

  test('find what was written, old or new', () => {
    expect(checkRegisterReads('r', writes, [read('r', 0, ''), read('r', 1, 'v1'), read('r', 2, 'v2')])).toEqual([]);
  });

  test.each<[string, Read]>([
    ['what failed', read('r', 2, 'v3')],
    ['another version of it', read('r', 2, 'v1')],
    ['what is not written yet', read('r', 2, 'v2', [0, 1])],
  ])('do not find %s', (_, wrong) => {
    expect(checkRegisterReads('r', writes, [wrong])).toHaveLength(1);
  });
});

test('an unknown write that cannot have been done is left out, and only that', () => {
  const ok = write('r', 'a', 'ok');
  const undone = write('r', 'b', 'unknown');
  const seen = write('r', 'c', 'unknown');
  const open = write('r', 'd', 'unknown', [2, 3], 1);
  expect(withoutUndone([ok, undone, seen, open], new Set(['c']))).toEqual([ok, seen, open]);
});
