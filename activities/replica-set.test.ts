import { expect, test } from 'vitest';
import { hasEnded } from './replica-set.js';

test('a deed on the set is not done for a change that has ended', () => {
  expect(hasEnded(null)).toBe(false);
  expect(hasEnded({ state: 'running' })).toBe(false);
  for (const state of ['done', 'failed', 'cancelled'] as const) expect(hasEnded({ state })).toBe(true);
});
