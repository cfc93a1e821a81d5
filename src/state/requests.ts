import type { ClientSession } from 'mongodb';
import { QuorateError } from '../errors.js';
import { persist } from './retry.js';
import { type State, transaction } from './state.js';

/** A request for a change: whose it is, and what it says. */
export interface Request {
  /** User and idempotency key. */
  readonly key: string;
  /** SHA-256 of method, path and body. */
  readonly fingerprint: string;
}

const DUPLICATE_KEY = 11000;

/**
 * Does `work` once for a request, in a transaction that also keeps its answer: asked again, here or at another controller,
 * the answer is given again. Refuses the same key with other contents (`key-reused`).
 */
export async function once<T>(
  state: State,
  request: Request,
  work: (session: ClientSession) => Promise<T>,
  limitMs = 15_000,
): Promise<T> {
  const attempt = () =>
    transaction(
      state,
      async (session) => {
        const before = await state.requests.findOne({ _id: request.key }, { session });
        if (before !== null) {
          if (before.fingerprint !== request.fingerprint) throw keyReused();
          return JSON.parse(before.body) as T;
        }
        const answer = await work(session);
        const { key: _id, fingerprint } = request;
        const record = { _id, fingerprint, status: 200, body: JSON.stringify(answer), at: new Date() };
        await state.requests.insertOne(record, { session });
        return answer;
      },
      limitMs,
    );
  return await persist(
    state,
    async () => {
      try {
        return await attempt();
      } catch (error) {
        // The same request was done at another controller at the same time: its answer is there now.
        if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error;
        return await attempt();
      }
    },
    limitMs,
  );
}

/** Refusal of an idempotency key that came with something else before. */
export function keyReused(): QuorateError {
  return new QuorateError('key-reused', 'This idempotency key was used for another request before.', {
    todo: 'Give every change a key of its own, and only repeat a request as it was.',
    exit: 2,
  });
}
