import { expect, test } from 'vitest';
import { isKeepable } from './keepable.js';

const nested = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);

test.each([1, null, 'a.b$\0', { a: [{ b: 1 }] }, [], nested(12)])('%j can be kept', (value) => {
  expect(isKeepable(value)).toBe(true);
});

test.each([{ 'a\0': 1 }, { a: { 'b.c': 1 } }, [{ $where: 1 }], nested(13), nested(50_000)])(
  'what has a name that is none, or no end, cannot be kept (%#)',
  (value) => {
    expect(isKeepable(value)).toBe(false);
  },
);
