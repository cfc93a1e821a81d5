import { expect, test } from 'vitest';
import { requestIdOf } from './request-id.js';

const MADE = /^[0-9a-f-]{36}$/;

test('a request keeps the ID that it came with', () => {
  expect(requestIdOf({ 'x-request-id': 'curl-1:a.b_C' })).toBe('curl-1:a.b_C');
});

test.each([undefined, '', 'two words', 'a"b', 'a\u001b[31m', 'a\nb', 'x'.repeat(65), ['a', 'b']])(
  'one that came with %j gets another',
  (given) => {
    const [first, second] = [given, given].map((each) => requestIdOf({ 'x-request-id': each as string }));
    expect(first).toMatch(MADE);
    expect(second).not.toBe(first);
  },
);
