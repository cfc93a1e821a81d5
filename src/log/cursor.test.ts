import { expect, test } from 'vitest';
import { cursorOf, positionsOf } from './cursor.js';

test('a cursor gives back the positions that it was made of', () => {
  const positions = [{ inode: 81_234_567, offset: 0 }, null, { inode: 3, offset: 2 ** 40 }];
  expect(positionsOf(cursorOf(positions), 3)).toEqual(positions);
});

test.each([
  ['', 2],
  ['nonsense', 2],
  ['../../etc', 2],
  ['1.2.3-4', 2],
  ['-'.repeat(300), 2],
])('%j is no position', (cursor, files) => {
  expect(positionsOf(cursor, files)).toEqual([null, null]);
});

test('files that it does not know have none', () => {
  expect(positionsOf('a.b', 2)).toEqual([{ inode: 10, offset: 11 }, null]);
});
