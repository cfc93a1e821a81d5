import { expect, test } from 'vitest';
import { OnceIn } from './once-in.js';

test('it is done at most once in its time, however many ask', async () => {
  let now = 1000;
  let done = 0;
  const counted = new OnceIn(
    50,
    async () => {
      done += 1;
      return done;
    },
    () => now,
  );
  expect(await Promise.all([counted.get(), counted.get()])).toEqual([1, 1]);
  now += 49;
  expect(await counted.get()).toBe(1);
  now += 1;
  expect(await counted.get()).toBe(2);
  expect(done).toBe(2);
});
