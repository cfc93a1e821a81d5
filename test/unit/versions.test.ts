import { expect, test } from 'vitest';
import { isOlder } from '../../workers/versions.js';

test('builds are ordered by package version only', () => {
  expect(isOlder('0.1.0-aaaaaaaaaaaa', '0.2.0-bbbbbbbbbbbb')).toBe(true);
  expect(isOlder('0.10.0-aaaaaaaaaaaa', '0.9.3-bbbbbbbbbbbb')).toBe(false);
  expect(isOlder('0.1.0-aaaaaaaaaaaa', '0.1.0-bbbbbbbbbbbb')).toBe(false);
  expect(isOlder('0.1.0-aaaaaaaaaaaa', '')).toBe(false);
});
