import { expect, test } from 'vitest';
import { openSealed, sealConnection } from './sealed.js';

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
