import { createRequire } from 'node:module';
import { MongoNetworkError, MongoServerError, MongoServerSelectionError, type TopologyDescription } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { QuorateError } from '../errors.js';
import { isPassing } from './passing.js';
import { persist } from './retry.js';
import type { State } from './state.js';

/** The driver's own class, which it throws and does not show. */
const { PoolClosedError } = createRequire(import.meta.url)('mongodb/lib/cmap/errors.js') as {
  PoolClosedError: new (pool: { readonly address: string }) => Error;
};

const server = (code: number, errorLabels: string[] = []) => new MongoServerError({ message: 'no', code, errorLabels });
const socket = (code: string) => Object.assign(new Error('This socket has been ended by the other party'), { code });

describe('what passes by itself', () => {
  test.each([
    ['a lost connection', new MongoNetworkError('closed'), true],
    ['no primary at the moment', server(10107), true],
    ['a server that goes down', server(11600), true],
    ['a label of the server', server(1, ['RetryableWriteError']), true],
    ['a socket that the driver did not wrap', socket('EPIPE'), true],
    ['a commit on such a socket', new TypeError('commitError.hasErrorLabel is not a function'), true],
    ['a pool that closed because its member left', new PoolClosedError({ address: 'm1:1' }), true],
    ['a duplicate key', server(11000), false],
    ['a document that is none', server(121), false],
    ['not allowed', server(13), false],
    ['a refusal of our own', new QuorateError('stale', 'no'), false],
    ['a file that is not there', socket('ENOENT'), false],
    ['a defect', new TypeError('undefined is not a function'), false],
  ])('%s', (_, error, passing) => {
    expect(isPassing(error)).toBe(passing);
  });
});

describe('persisting', () => {
  let move: (host: string) => void = () => {};
  const state = {
    primary: () => 'old:1',
    onPrimary: (listener: (host: string) => void) => {
      move = listener;
      return () => {};
    },
  } as unknown as State;

  test('goes on until it is done', async () => {
    const attempts: number[] = [];
    const done = await persist(state, async (attempt) => {
      attempts.push(attempt);
      if (attempt < 3) throw server(10107);
      return 'done';
    });
    expect([done, attempts]).toEqual(['done', [0, 1, 2, 3]]);
  });

  test('leaves one behind that waits for a primary that was superseded', async () => {
    const done = persist(state, async (attempt) => (attempt === 0 ? await new Promise(() => {}) : 'done'));
    move('new:1');
    expect(await done).toBe('done');
  });

  test('does not repeat what does not pass', async () => {
    let attempts = 0;
    const failing = persist(state, async () => {
      attempts += 1;
      throw server(11000);
    });
    await expect(failing).rejects.toMatchObject({ code: 11000 });
    expect(attempts).toBe(1);
  });

  test('says at the end whether anything can have been done', async () => {
    const nobody = new MongoServerSelectionError('no primary', {} as TopologyDescription);
    const never = persist(state, () => Promise.reject(nobody), 50);
    await expect(never).rejects.toMatchObject({ code: 'no-quorum' });
    const perhaps = persist(state, () => Promise.reject(server(91)), 50);
    await expect(perhaps).rejects.toMatchObject({ code: 'unknown-outcome' });
    await expect(persist(state, () => new Promise(() => {}), 50)).rejects.toMatchObject({ code: 'unknown-outcome' });
  });
});
