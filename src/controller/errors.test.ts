import { expect, test } from 'vitest';
import { QuorateError } from '../errors.js';
import { answerFor } from './errors.js';

test('a defect is told without its text, and with the name by which the logs know the request', () => {
  const { status, body } = answerFor(new Error('the text of a defect'), 'GET /v1/x', 'r-1');
  expect(status).toBe(500);
  expect(body).toMatchObject({ code: 'failed', requestId: 'r-1', todo: expect.stringContaining('r-1') });
  expect(JSON.stringify(body)).not.toContain('the text of a defect');
});

test('so is what passes; what a caller did wrong is named by what they did', () => {
  expect(answerFor(new QuorateError('no-quorum', 'x'), '', 'r-2')).toMatchObject({
    status: 503,
    body: { requestId: 'r-2' },
  });
  expect(answerFor(new QuorateError('not-found', 'x'), '', 'r-3').body).toEqual({
    code: 'not-found',
    message: 'x',
    todo: '',
  });
});
