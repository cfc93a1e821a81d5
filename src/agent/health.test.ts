import { expect, test } from 'vitest';
import { isFull } from './health.js';

test('a disk around the mark is not full and has room in turns', () => {
  const MiB = 1024 ** 2;
  const seen = [100, 5, 4, 3, 5, 7, 8, 5, 3].map((n) => n * MiB);
  let full = false;
  const said = seen.map((free) => {
    full = isFull(full, free);
    return full;
  });
  expect(said).toEqual([false, false, false, true, true, true, false, false, true]);
});
