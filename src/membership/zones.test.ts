import { expect, test } from 'vitest';
import { spread } from './zones.js';

test('each goes to the emptiest zone, among equals to the first', () => {
  expect(spread(['a', 'b', 'c'], ['a'], 4)).toEqual(['b', 'c', 'a', 'b']);
  expect(spread(['a', 'b'], ['b', 'b', 'elsewhere'], 3)).toEqual(['a', 'a', 'a']);
});

test('a cloud without zones has one without a name', () => {
  expect(spread([], [], 2)).toEqual(['', '']);
});
