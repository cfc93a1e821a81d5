import { expect, test } from 'vitest';
import { addressAt, basesFor } from './network.js';

test('addresses run on from net to net, never 0 or 255 at the end', () => {
  expect(addressAt([7, 255], 1)).toBe('127.7.255.1');
  expect(addressAt([7, 255], 254)).toBe('127.7.255.254');
  expect(addressAt([7, 255], 255)).toBe('127.7.0.1');
  expect(addressAt([7, 3], 254 * 2 + 7)).toBe('127.7.5.7');
});

test('an environment has its own bases, the same each time, and never those of the system', () => {
  const bases = basesFor('9b2f0a52-51a5-4f04-8f4b-4f9b1c0c7c11');
  expect(bases).toEqual(basesFor('9b2f0a52-51a5-4f04-8f4b-4f9b1c0c7c11'));
  expect(bases).not.toEqual(basesFor('9b2f0a52-51a5-4f04-8f4b-4f9b1c0c7c12'));
  expect(bases.length).toBeGreaterThanOrEqual(16);
  expect(bases.every(([a, b]) => a >= 1 && a <= 254 && b >= 0 && b <= 255)).toBe(true);
});
