import { expect, test } from 'vitest';
import { isLoopback } from './loopback.js';

const nobody = async () => [];

test.each([
  '127.0.0.1:7233',
  '127.9.9.9:7233',
  'localhost:7233',
  'LOCALHOST:7233',
  'localhost.:7233',
  'temporal.localhost:7233',
  '[::1]:7233',
  '[::ffff:127.0.0.1]:7233',
  '0.0.0.0:7233',
  '[::]:7233',
])('%s leads every machine to itself', async (address) => {
  expect(await isLoopback(address, nobody)).toBe(true);
});

test.each(['10.0.0.1:7233', '203.0.113.7:7233', '[2001:db8::1]:7233', 'prod.a1b2c.tmprl.cloud:7233', '128.0.0.1:1'])(
  '%s does not',
  async (address) => {
    expect(await isLoopback(address, nobody)).toBe(false);
  },
);

test('a name is what it stands for; with one address that others reach it is no loopback', async () => {
  const at = (...addresses: string[]) => isLoopback('temporal:7233', async () => addresses);
  expect(await at('127.0.1.1')).toBe(true);
  expect(await at('127.0.0.1', '::1')).toBe(true);
  expect(await at('127.0.0.1', '10.0.0.1')).toBe(false);
  expect(await at('10.0.0.1')).toBe(false);
});

test('a name that nobody knows is none', async () => {
  expect(await isLoopback('does-not-exist.invalid:7233')).toBe(false);
});
