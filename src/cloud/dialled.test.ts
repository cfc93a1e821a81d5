import { expect, test } from 'vitest';
import type { Instance } from './cloud.js';
import { apiAddresses } from './dialled.js';

const instance = (more: Partial<Instance>): Instance => ({
  id: 'i-1',
  state: 'running',
  tags: { environment: 'e', machine: '0', nonce: 'n' },
  zone: 'a',
  address: '10.0.0.1',
  ports: { api: 17070, mongo: 37017 },
  cause: 'user',
  startedAt: '',
  ...more,
});

test('those that run are dialled, inside and outside of the cloud’s network', () => {
  expect(apiAddresses([instance({}), instance({ address: '10.0.0.2', publicAddress: '203.0.113.2' })])).toEqual([
    '10.0.0.1:17070',
    '10.0.0.2:17070',
    '203.0.113.2:17070',
  ]);
});

test('one that does not run, or has no address yet, is not', () => {
  expect(apiAddresses([instance({ state: 'stopped' }), instance({ address: '', publicAddress: '' })])).toEqual([]);
});
