import { MongoNetworkError, MongoServerError } from 'mongodb';
import { expect, test } from 'vitest';
import { QuorateError } from '../errors.js';
import { MEANINGS, meaningOf, refusal } from './errors.js';

const server = (code: number, message = 'refused') => new MongoServerError({ code, message, errmsg: message });

test.each([
  [308, 'retry', 'nothing'],
  [109, 'retry', 'nothing'],
  [125, 'retry', 'nothing'],
  [93, 'fatal', 'nothing'],
  [103, 'replan', 'nothing'],
  [74, 'replan', 'nothing'],
  [10107, 'replan', 'unknown'],
  [189, 'replan', 'unknown'],
  [11602, 'replan', 'unknown'],
  [11600, 'replan', 'unknown'],
  [91, 'replan', 'unknown'],
  [50, 'retry', 'unknown'],
] as const)('%i means %s, and of the change %s is known', (code, verdict, outcome) => {
  expect(meaningOf(server(code))).toMatchObject({ verdict, outcome });
});

test('a config that was installed and did not spread is read again, whatever its code', () => {
  const error = server(50, 'Reconfig finished but failed to propagate to a majority :: caused by :: timed out');
  expect(meaningOf(error)).toMatchObject({ verdict: 'replan', outcome: 'unknown' });
});

test('a lost connection and silence leave the outcome unknown', () => {
  expect(meaningOf(new MongoNetworkError('connection closed'))).toMatchObject({ outcome: 'unknown' });
  expect(meaningOf(new QuorateError('silent', 'no answer'))).toMatchObject({ outcome: 'unknown' });
});

test('what nobody foresaw is never sent again', () => {
  expect(meaningOf(server(99999))).toMatchObject({ verdict: 'fatal', outcome: 'unknown' });
  expect(meaningOf(new Error('what?'))).toMatchObject({ verdict: 'fatal', outcome: 'unknown' });
});

test('every meaning is a sentence for people', () => {
  for (const { sentence } of Object.values(MEANINGS)) expect(sentence).toMatch(/^\S.{10,}[^.]$/);
  expect(refusal('granting a vote', server(308, 'too early'))).toMatchObject({
    code: 'not-yet',
    message: 'granting a vote: the current configuration is not on a majority yet (too early)',
  });
});
