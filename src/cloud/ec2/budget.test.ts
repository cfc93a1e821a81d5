import { expect, test } from 'vitest';
import { Budget, Purse } from './budget.js';

test('what is there at once costs no waiting, and everybody after that waits their turn', () => {
  const purse = new Purse({ burst: 3, perSecond: 2 });
  expect([0, 0, 0, 0, 0, 0].map((now) => purse.take(now))).toEqual([0, 0, 0, 500, 1000, 1500]);
});

test('time fills it, and never above its brim', () => {
  const purse = new Purse({ burst: 2, perSecond: 1 });
  expect([purse.take(0), purse.take(0), purse.take(500), purse.take(60_000), purse.take(60_000)]).toEqual([
    0, 0, 500, 0, 0,
  ]);
  expect(purse.take(60_000)).toBe(1000);
});

test('changes and reads have a purse each, and each attempt is counted', async () => {
  const budget = new Budget({ reads: { burst: 1, perSecond: 1000 }, changes: { burst: 1, perSecond: 0.001 } });
  await budget.take('TerminateInstances');
  for (let n = 0; n < 5; n += 1) await budget.take('DescribeInstances');
  expect(budget.counts()).toEqual({ DescribeInstances: 5, TerminateInstances: 1 });
});
