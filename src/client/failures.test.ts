import { expect, test } from 'vitest';
import { dialFailure, noController } from './failures.js';

const failures = new Map([
  ['127.0.1.1:17070', 'refused'],
  ['127.0.1.2:17070', 'refused'],
  ['127.0.1.3:17070', 'refused'],
]);
const published = (...addresses: string[]) => ({
  set: { version: 1, servers: addresses.map((api) => ({ machine: '0', api, mongo: '' })) },
});

test('says who was tried, why each failed, and what the published addresses were', () => {
  const error = noController('demo', failures, published(...failures.keys()), 'file:///x');
  expect(error.message).toBe(
    'no controller of demo answers. Tried 127.0.1.1, 127.0.1.2, 127.0.1.3:17070 (refused) and the published addresses (the same three).',
  );
  expect(error.todo).toContain('quorate cloud list');
});

test.each([
  [
    new Map([
      ['a:1', 'refused'],
      ['b:2', 'refused'],
      ['c:1', 'another CA'],
    ]),
    null,
    'Tried a:1, b:2 (refused), c:1 (another CA).',
  ],
  [failures, published('127.0.1.4:17070'), '(refused) and the published addresses (127.0.1.4:17070).'],
  [failures, { failed: 'none yet' }, '(refused) and the published addresses (none yet).'],
  [new Map<string, string>(), null, 'No address is known.'],
])('%#', (tried, found, sentence) => {
  expect(noController('demo', tried, found, undefined).message).toContain(sentence);
});

test('reasons are words where there are some', () => {
  expect(dialFailure(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))).toBe('refused');
  expect(dialFailure(new Error('no answer in 2 s'))).toBe('no answer in 2 s');
});
