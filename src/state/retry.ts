import { setTimeout as sleep } from 'node:timers/promises';
import { MongoServerSelectionError } from 'mongodb';
import { QuorateError, reasonOf } from '../errors.js';
import { isPassing, MovedOn } from './passing.js';
import type { State } from './state.js';

/** Pauses between tries. Each try waits for a primary by itself, so a long pause would only miss its coming. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 30;

/** How long an operation on the old primary may still take once another primary has been seen. */
const LET_GO_MS = 50;

/**
 * Does `work` until it is done, over elections and lost connections, for `limitMs` at most. `work` must be harmless done
 * twice, also when an earlier try still runs: one that waits for a primary that has been superseded is left behind, since
 * the driver would wait until that host's monitor gives up. `attempt` counts from 0.
 *
 * Throws `no-quorum` when no try can have reached the database, `unknown-outcome` when one may have.
 */
export async function persist<T>(state: State, work: (attempt: number) => Promise<T>, limitMs = 15_000): Promise<T> {
  const deadline = performance.now() + limitMs;
  let sent = false;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await unlessMoved(state, work(attempt), deadline);
    } catch (error) {
      if (!isPassing(error)) throw error;
      sent ||= !(error instanceof MongoServerSelectionError);
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
      if (performance.now() + pause < deadline) {
        await sleep(pause);
        continue;
      }
      throw outOfTime(error, sent, limitMs);
    }
  }
}

async function unlessMoved<T>(state: State, working: Promise<T>, deadline: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let end = () => {};
  const given = new Promise<never>((_, reject) => {
    const latest = setTimeout(() => reject(new MovedOn('no answer in time')), deadline - performance.now());
    const off =
      // Without a primary the operation waits for the next one by itself.
      state.primary() === null
        ? () => {}
        : state.onPrimary(() => {
            timer ??= setTimeout(() => reject(new MovedOn('another primary was seen')), LET_GO_MS);
          });
    end = () => {
      clearTimeout(latest);
      off();
    };
  });
  // One that is left behind ends by itself, and how does not matter any more.
  working.catch(() => undefined);
  try {
    return await Promise.race([working, given]);
  } finally {
    clearTimeout(timer);
    end();
  }
}

function outOfTime(error: unknown, sent: boolean, limitMs: number): QuorateError {
  const seconds = Math.round(limitMs / 1000);
  if (!sent) {
    return new QuorateError('no-quorum', `No primary could be reached for ${seconds} s, so nothing was changed.`, {
      todo: 'See what is up with: quorate status. It goes on by itself when a majority of the controllers is back.',
      cause: error,
    });
  }
  return new QuorateError(
    'unknown-outcome',
    `The database did not confirm within ${seconds} s; whether it was done is not known: ${reasonOf(error)}.`,
    { todo: 'Ask again with the same idempotency key, or read what is there.', cause: error },
  );
}
