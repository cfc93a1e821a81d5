import { expect, test } from 'vitest';
import { pageUrl } from './dashboard.js';

test('the login stands where no browser sends it to a server', () => {
  const url = new URL(pageUrl('127.0.1.1:17070', { token: 'qrt_secret', expiresAt: '2026-11-29T16:00:00.000Z' }));
  expect(url.href.split('#')[0]).toBe('https://127.0.1.1:17070/dashboard');
  expect(Object.fromEntries(new URLSearchParams(url.hash.slice(1)))).toEqual({
    token: 'qrt_secret',
    ends: '2026-11-29T16:00:00.000Z',
  });
});
