import { expect, test } from 'vitest';
import { boundaries, casesAt, choose, randomFrom } from './cases.js';

test('every activity of the recorded histories has its cases', () => {
  const all = boundaries();
  expect(all).toContainEqual({ workflow: 'enableHa', activity: 'grantVote', times: 2 });
  expect(all).toContainEqual(expect.objectContaining({ workflow: 'provisioner', activity: 'startInstance' }));
  const one = choose(all, 'one of each', randomFrom(7));
  expect(one).toHaveLength(all.length);
  expect(choose(all, 'some', randomFrom(7))).toHaveLength(10);
  expect(choose(all, 'all', randomFrom(7))).toHaveLength(all.length * 14);
});

test('the seed alone decides, and an occurrence is one that there always is', () => {
  const all = boundaries();
  expect(choose(all, 'one of each', randomFrom(3))).toEqual(choose(all, 'one of each', randomFrom(3)));
  expect(choose(all, 'one of each', randomFrom(3))).not.toEqual(choose(all, 'one of each', randomFrom(4)));
  for (const { occurrence } of casesAt({ workflow: 'w', activity: 'a', times: 7 }, randomFrom(1))) {
    expect(occurrence).toBeGreaterThanOrEqual(1);
    expect(occurrence).toBeLessThanOrEqual(4);
  }
});
