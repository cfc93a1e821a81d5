import { expect, test } from 'vitest';
import { endpointOf } from './dial.js';

test.each([
  ['temporal.example.com:7234', 'temporal.example.com', 7234],
  ['temporal.example.com', 'temporal.example.com', 7233],
  ['10.0.0.1:1', '10.0.0.1', 1],
  ['10.0.0.1', '10.0.0.1', 7233],
  ['[::1]:7234', '::1', 7234],
  ['[::1]', '::1', 7233],
  ['::1', '::1', 7233],
  ['dns:///temporal:7234', 'temporal', 7234],
])('%s', (address, host, port) => {
  expect(endpointOf(address)).toEqual({ host, port });
});
