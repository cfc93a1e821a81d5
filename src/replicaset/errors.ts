/**
 * What MongoDB's refusals of a change mean, in one table: what became of the change, and what to do next.
 *
 * `retry`: nothing is wrong with the change, it came too early; the same again, as long as the fence holds. `replan`: the
 * facts differ from those decided on; observe again. `fatal`: the same change would be refused for ever.
 * `outcome` says what is known of the change itself: `nothing` happened, or it is `unknown` and must be read before anything
 * else is sent. A change is never sent a second time blindly.
 */
import { MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb';
import { QuorateError, reasonOf } from '../errors.js';

export type Verdict = 'retry' | 'replan' | 'fatal';
export interface Meaning {
  readonly verdict: Verdict;
  readonly outcome: 'nothing' | 'unknown';
  readonly sentence: string;
}

const notPrimary = (sentence: string): Meaning => ({ verdict: 'replan', outcome: 'unknown', sentence });

/** By MongoDB's error code. */
export const MEANINGS: Readonly<Record<number, Meaning>> = {
  // Before anything was installed.
  308: { verdict: 'retry', outcome: 'nothing', sentence: 'the current configuration is not on a majority yet' },
  109: { verdict: 'retry', outcome: 'nothing', sentence: 'another configuration is being installed' },
  74: { verdict: 'replan', outcome: 'nothing', sentence: 'a majority of the new voters did not answer the primary' },
  93: { verdict: 'fatal', outcome: 'nothing', sentence: 'MongoDB does not allow this configuration' },
  103: {
    verdict: 'replan',
    outcome: 'nothing',
    sentence: 'the configuration has changed meanwhile, or a member holds data of another replica set',
  },
  94: { verdict: 'replan', outcome: 'nothing', sentence: 'the member has no replica set yet' },
  125: { verdict: 'retry', outcome: 'nothing', sentence: 'the election was lost or another change is under way' },
  13: { verdict: 'fatal', outcome: 'nothing', sentence: 'this certificate may not change the replica set' },
  18: { verdict: 'fatal', outcome: 'nothing', sentence: 'the member does not accept this certificate' },
  // It was not primary at some point: the change may have been installed before.
  10107: notPrimary('the member is not primary'),
  189: notPrimary('the primary stepped down'),
  11602: notPrimary('the primary stepped down meanwhile'),
  11600: notPrimary('the member is shutting down'),
  91: notPrimary('the member is shutting down'),
  // Its time ran out: in the first wait nothing happened, in the last it is installed; only reading tells.
  50: { verdict: 'retry', outcome: 'unknown', sentence: 'the time given to the change ran out' },
  64: { verdict: 'replan', outcome: 'unknown', sentence: 'the change is not known to be on a majority' },
};

const NETWORK = notPrimary('the connection to the member was lost');
const SILENT = notPrimary('the member did not answer in time');
const UNREACHABLE: Meaning = { verdict: 'replan', outcome: 'nothing', sentence: 'the member could not be reached' };
const PROPAGATE: Meaning = {
  verdict: 'replan',
  outcome: 'unknown',
  sentence: 'the configuration was installed but is not on a majority yet',
};
const STRANGE: Meaning = { verdict: 'fatal', outcome: 'unknown', sentence: 'the replica set refused the change' };

/** What an error thrown by a command means. */
export function meaningOf(error: unknown): Meaning {
  // Also the cause of a code of its own: "Reconfig finished but failed to propagate to a majority".
  if (/finished but failed to propagate/i.test(reasonOf(error))) return PROPAGATE;
  if (error instanceof MongoServerSelectionError) return UNREACHABLE;
  if (error instanceof MongoServerError) return MEANINGS[Number(error.code)] ?? STRANGE;
  if (error instanceof MongoNetworkError) return NETWORK;
  if (error instanceof QuorateError && error.code === 'silent') return SILENT;
  return STRANGE;
}

const CODES: Readonly<Record<Verdict, string>> = { retry: 'not-yet', replan: 'stale', fatal: 'replica-set-refused' };

/** A refusal for people; its code tells programs to try again (`not-yet`), to observe again (`stale`) or to give up. */
export function refusal(what: string, error: unknown): QuorateError {
  if (error instanceof QuorateError && error.code !== 'silent') return error;
  const { verdict, sentence } = meaningOf(error);
  return new QuorateError(CODES[verdict], `${what}: ${sentence} (${reasonOf(error)})`, { cause: error });
}
