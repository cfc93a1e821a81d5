import { expect, test } from 'vitest';
import { decode, refusalOf } from './answer.js';

const answer = (status: number, body: unknown = '') => ({
  status,
  headers: {},
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

test('a good answer is its body', () => {
  expect(decode(answer(200, { a: 1 }))).toEqual({ a: 1 });
  expect(decode(answer(204))).toBeUndefined();
});

test.each([
  [
    answer(409, { code: 'stale', message: 'changed', todo: 'again' }),
    { code: 'stale', message: 'changed', todo: 'again' },
  ],
  [answer(500, { code: 'x', message: 'y' }), { code: 'x', message: 'y', todo: '' }],
  [answer(502), { code: 'bad-answer' }],
  [answer(404, [1]), { code: 'bad-answer' }],
  [answer(200, '<html>'), { code: 'bad-answer' }],
])('%j is thrown', (given, error) => {
  expect(() => decode(given)).toThrow(expect.objectContaining(error));
});

test('one that says to come back much later is an answer', () => {
  const later = (seconds: string) => ({ ...answer(429, { code: 'too-many' }), headers: { 'retry-after': seconds } });
  expect(refusalOf(later('1'))).toBe('not-done');
  expect(refusalOf(later('10'))).toBeNull();
});

test.each([
  [200, '', null],
  [409, 'stale', null],
  [500, 'defect', null],
  [429, 'too-many', 'not-done'],
  [503, 'leaving', 'elsewhere'],
  [503, 'cut-off', 'elsewhere'],
  [503, 'no-quorum', 'unknown'],
  [503, 'unknown-outcome', 'unknown'],
])('%d %s means %s', (status, code, meaning) => {
  expect(refusalOf(answer(status, { code, message: '', todo: '' }))).toBe(meaning);
});
