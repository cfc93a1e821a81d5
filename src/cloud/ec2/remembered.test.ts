import { expect, test } from 'vitest';
import { Remembered } from './remembered.js';

function counted(outcomes: (number | Error)[], forMs: number) {
  let asked = 0;
  const remembered = new Remembered(async () => {
    const outcome = outcomes[asked] ?? 0;
    asked += 1;
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }, forMs);
  return { remembered, asked: () => asked };
}

test('two that ask at once ask once, and so does who comes soon after', async () => {
  const { remembered, asked } = counted([1, 2], 60_000);
  expect(await Promise.all([remembered.get(), remembered.get()])).toEqual([1, 1]);
  expect(await remembered.get()).toBe(1);
  expect(asked()).toBe(1);
});

test('what is old or forgotten is asked for anew', async () => {
  const old = counted([1, 2], 0);
  expect([await old.remembered.get(), await old.remembered.get()]).toEqual([1, 2]);
  const forgotten = counted([1, 2], 60_000);
  await forgotten.remembered.get();
  forgotten.remembered.forget();
  expect(await forgotten.remembered.get()).toBe(2);
});

test('a failure is everybody’s who asked, and nobody’s after that', async () => {
  const { remembered } = counted([new Error('no'), 2], 60_000);
  const both = await Promise.allSettled([remembered.get(), remembered.get()]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await remembered.get()).toBe(2);
});
