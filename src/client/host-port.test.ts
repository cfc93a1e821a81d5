import { expect, test } from 'vitest';
import { hostAndPort } from './host-port.js';

test.each([
  ['127.0.0.1:17070', '127.0.0.1', 17070],
  ['controller.example.com:1', 'controller.example.com', 1],
  ['[::1]:17070', '::1', 17070],
  [':17070', '', 17070],
  ['17070', '', 17070],
])('%s', (address, host, port) => {
  expect(hostAndPort(address)).toEqual({ host, port });
});
