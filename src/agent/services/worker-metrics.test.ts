import { expect, test } from 'vitest';
import { workerMetricsAddress } from './worker-metrics.js';

test.each([
  ['an address of its own on the shared loopback', '127.173.0.2', 17070, '127.173.0.2:17071'],
  ['a port of its own', '127.0.0.1', 20123, '127.0.0.1:20124'],
  ['a network of its own', '10.20.30.2', 17070, '127.0.0.1:17071'],
  ['a network of its own, IPv6', 'fd00::2', 17070, '127.0.0.1:17071'],
])('%s', (_, address, api, told) => {
  expect(workerMetricsAddress({ address, ports: { api, mongo: 1 } })).toBe(told);
});
