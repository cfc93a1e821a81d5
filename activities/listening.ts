import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { QuorateError, reasonOf } from '../src/errors.js';

const KNOCK_MS = 50;
const LISTENING_WITHIN_MS = 50_000;
/** It is there and says no: knocking again would not change that. */
const REFUSALS: ReadonlySet<string> = new Set(['proof-failed', 'not-allowed', 'bad-request', 'foreign-ca']);

/** A machine that boots refuses connections at first: this is its wait, within one activity. */
export async function untilListening<T>(knock: () => Promise<T>): Promise<T> {
  const { cancellationSignal } = Context.current();
  const ends = performance.now() + LISTENING_WITHIN_MS;
  for (;;) {
    try {
      return await knock();
    } catch (error) {
      if (error instanceof QuorateError && REFUSALS.has(error.code)) throw error;
      if (performance.now() > ends)
        throw new QuorateError('not-listening', `It did not answer in time: ${reasonOf(error)}`);
      await sleep(KNOCK_MS, undefined, { signal: cancellationSignal });
    }
  }
}
