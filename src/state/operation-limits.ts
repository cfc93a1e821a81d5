import { usageError } from '../errors.js';
import { durationMs } from './settings.js';

/** Machines that are named in one request. */
export const MOST_NAMED = 10_000;

const SHORTEST_MS = 1000;
const LONGEST_MS = 24 * 3600 * 1000;

/** Milliseconds of what was typed after `--timeout`; refuses what is no duration, less than a second or more than a day. */
export function timeLimitMs(text: string): number {
  const ms = durationMs(text.trim());
  const todo = 'Say it as 30s, 5m or 2h; at most 24h.';
  if (ms === null) throw usageError('bad-duration', `${JSON.stringify(text.slice(0, 80))} is no duration.`, todo);
  if (ms < SHORTEST_MS || ms > LONGEST_MS) {
    throw usageError('bad-duration', `A time limit is between 1s and 24h, not ${text.trim().slice(0, 80)}.`, todo);
  }
  return ms;
}
