import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { race } from './race.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Each candidate answers (ms > 0) or fails (ms < 0) after so long; what happens is noted with its time. */
function run(candidates: Record<string, number>, staggerMs = 25) {
  const notes: string[] = [];
  const start = Date.now();
  const note = (text: string) => notes.push(`${Date.now() - start} ${text}`);
  const result = race(Object.keys(candidates), {
    staggerMs,
    dial: (candidate, signal) => {
      note(`dial ${candidate}`);
      return new Promise<string>((resolve, reject) => {
        const ms = candidates[candidate] as number;
        const callOff = () => {
          clearTimeout(timer);
          note(`call off ${candidate}`);
          reject(new Error('called off'));
        };
        const timer = setTimeout(() => {
          signal.removeEventListener('abort', callOff);
          if (ms > 0) resolve(`${candidate}!`);
          else reject(new Error('no'));
        }, Math.abs(ms));
        signal.addEventListener('abort', callOff);
      });
    },
    onFailure: (candidate) => note(`${candidate} failed`),
    discard: (value) => note(`discard ${value}`),
  });
  return { notes, result };
}

test('the first is given a small start; when it answers nobody else is dialled', async () => {
  const { notes, result } = run({ a: 10, b: 1 });
  await vi.runAllTimersAsync();
  expect(await result).toEqual({ candidate: 'a', value: 'a!' });
  expect(notes).toEqual(['0 dial a']);
});

test('a silent one costs the stagger, and is called off when another has won', async () => {
  const { notes, result } = run({ a: 5000, b: 10, c: 10 });
  await vi.runAllTimersAsync();
  expect(await result).toEqual({ candidate: 'b', value: 'b!' });
  expect(notes).toEqual(['0 dial a', '25 dial b', '35 call off a']);
});

test('a refusal starts the next at once', async () => {
  const { notes, result } = run({ a: -1, b: -1, c: 10 });
  await vi.runAllTimersAsync();
  expect(await result).toMatchObject({ candidate: 'c' });
  expect(notes.slice(0, 5)).toEqual(['0 dial a', '1 a failed', '1 dial b', '2 b failed', '2 dial c']);
});

test('null when all failed, after the last of them', async () => {
  const { notes, result } = run({ a: -100, b: -10 });
  await vi.runAllTimersAsync();
  expect(await result).toBeNull();
  expect(notes).toEqual(['0 dial a', '25 dial b', '35 b failed', '100 a failed']);
  expect(await race([], { staggerMs: 25, dial: async () => 1, onFailure: () => {}, discard: () => {} })).toBeNull();
});
