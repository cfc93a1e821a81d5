import { expect, test } from 'vitest';
import { inTime, NotEnded } from '../../workers/ending.js';

test('what does not end is given up in words, and what fails to end says why', async () => {
  await inTime(Promise.resolve(), 1000);
  await expect(inTime(new Promise(() => {}), 20)).rejects.toThrow(NotEnded);
  await expect(inTime(new Promise(() => {}), 20)).rejects.toThrow(/has not in 0.02 s; this process ends/);
  await expect(inTime(Promise.reject(new Error('it broke')), 1000)).rejects.toThrow('it broke');
});
