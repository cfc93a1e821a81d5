import { expect, test } from 'vitest';
import { fragmentOf, loginOf } from './login.js';

const login = { token: `qrt_${'a-_Z9'.repeat(8)}`, ends: '2026-11-29T16:00:00.000Z' };

test('a login is what stands behind the # of the address', () => {
  expect(loginOf(`#token=${login.token}&ends=2026-11-29T16%3A00%3A00.000Z`)).toEqual(login);
  expect(loginOf(fragmentOf(login))).toEqual(login);
  expect(loginOf(`#token=${login.token}`)).toEqual({ ...login, ends: '' });
});

test.each([
  '',
  '#',
  '#token=',
  '#token=short',
  '#ends=2026',
  `#token=${'x'.repeat(300)}`,
  '#token=with%20a%20space%20in',
])('%s is none', (fragment) => expect(loginOf(fragment)).toBeNull());
