import { expect, test } from 'vitest';
import { order } from './succession.js';

const member = (id: number, zone: string, votes = 1, priority = 1) => ({ id, zone, votes, priority });

test('by member ID, where zones say nothing', () => {
  expect(order({ primary: 2, members: [member(3, ''), member(0, ''), member(2, ''), member(1, '')] })).toEqual([
    0, 1, 3,
  ]);
});

test('those in the zone of the primary come last', () => {
  const members = [member(0, 'a'), member(1, 'a'), member(2, 'b'), member(3, 'c'), member(4, 'a')];
  expect(order({ primary: 0, members })).toEqual([2, 3, 1, 4]);
  expect(order({ primary: 2, members })).toEqual([0, 1, 3, 4]);
});

test('only voters that can be primary stand up', () => {
  expect(
    order({ primary: 0, members: [member(0, 'a'), member(1, 'b', 0), member(2, 'c', 1, 0), member(3, 'a')] }),
  ).toEqual([3]);
});

test('without a primary, and alone', () => {
  expect(order({ primary: null, members: [member(1, 'a'), member(0, 'a')] })).toEqual([0, 1]);
  expect(order({ primary: 0, members: [member(0, 'a')] })).toEqual([]);
});
