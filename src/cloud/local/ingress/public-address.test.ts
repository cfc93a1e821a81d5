import { expect, test } from 'vitest';
import { publicAddressesFor, publicAddressOf } from './public-address.js';

test('an instance has the same candidates each time, outside of where instances are', () => {
  const all = publicAddressesFor('i-0123456789abcdef0');
  expect(all).toEqual(publicAddressesFor('i-0123456789abcdef0'));
  expect(all).not.toEqual(publicAddressesFor('i-0123456789abcdef1'));
  for (const address of all) {
    const [, , net, host] = address.split('.').map(Number);
    expect(address).toMatch(/^127\.255\./);
    expect(net).toBeLessThan(255);
    expect(host).toBeGreaterThan(0);
    expect(host).toBeLessThan(255);
  }
});

test('what another one has is passed over', () => {
  const [first = '', second] = publicAddressesFor('i-1');
  expect(publicAddressOf('i-1', new Set())).toBe(first);
  expect(publicAddressOf('i-1', new Set([first]))).toBe(second);
  expect(publicAddressOf('i-1', new Set(publicAddressesFor('i-1')))).toBe(first);
});
