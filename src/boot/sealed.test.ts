import { expect, test } from 'vitest';
import { openSealed, openSealedByOneOf, sealConnection } from './sealed.js';

const key = 'ab'.repeat(32);
const connection = { address: 'temporal.example:7233', namespace: 'ours', apiKey: 'secret' };

test('what is sealed is opened with the same key for the same environment', () => {
  const sealed = sealConnection(connection, key, 'uuid');
  expect(sealed).not.toContain('secret');
  expect(openSealed(sealed, `${key}\n`, 'uuid')).toEqual(connection);
});

test('another key, another environment and a changed text are refused', () => {
  const sealed = sealConnection(connection, key, 'uuid');
  const changed = Buffer.from(sealed, 'base64');
  changed[changed.length - 1] = (changed[changed.length - 1] as number) ^ 1;
  expect(() => openSealed(sealed, 'cd'.repeat(32), 'uuid')).toThrow(/cannot be opened/);
  expect(() => openSealed(sealed, key, 'other')).toThrow(/cannot be opened/);
  expect(() => openSealed(changed.toString('base64'), key, 'uuid')).toThrow(/cannot be opened/);
  expect(() => openSealed('', key, 'uuid')).toThrow(/cannot be opened/);
});

test('while keys are rotated it is opened with whichever it was sealed with, and with no other', () => {
  const [next, previous] = ['cd'.repeat(32), 'ef'.repeat(32)];
  const sealed = sealConnection(connection, next, 'uuid');
  for (const keys of [[next], [key, next], [next, previous], [key, next, previous]]) {
    expect(openSealedByOneOf(sealed, keys, 'uuid')).toEqual(connection);
  }
  for (const keys of [[], [key], [key, previous]]) {
    expect(() => openSealedByOneOf(sealed, keys, 'uuid')).toThrow(/cannot be opened/);
  }
});
