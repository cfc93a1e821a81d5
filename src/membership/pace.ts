/** How fast the sentinel may act by itself: one change at a time, three a day, and pauses after those that failed. */
import { count } from './words.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** More than this a day are for a person to ask for: something else is wrong then. */
export const MOST_A_DAY = 3;

/** One of the sentinel's own changes; times on one clock, the database's, as ages. */
export interface Past {
  readonly state: 'running' | 'done' | 'blocked' | 'cancelled' | 'failed';
  /** Milliseconds since it began. */
  readonly ageMs: number;
  /** Milliseconds since it ended; null while it runs. */
  readonly endedAgeMs: number | null;
}

/** Why nothing is begun now, what then happens to those it is about, and when (null: not by itself). */
export interface Hold {
  readonly why: string;
  readonly next: { readonly next: string; readonly inMs: number | null };
}

const failed = ({ state }: Past): boolean => state === 'blocked' || state === 'failed';

/** The newest first. */
const byAge = (history: readonly Past[]): readonly Past[] => [...history].sort((a, b) => a.ageMs - b.ageMs);

/** The sentinel's last change did not get to its end: what it was to bring is still missing. */
export function lastFailed(history: readonly Past[]): boolean {
  const [last] = byAge(history);
  return last !== undefined && failed(last);
}

/** Those that failed one after the other, up to now. An hour in which nothing had to be done ends the row. */
function failuresInARow(history: readonly Past[]): number {
  let failures = 0;
  let laterBegan = 0;
  for (const past of byAge(history)) {
    if (!failed(past) || (past.endedAgeMs ?? 0) - laterBegan >= HOUR) break;
    failures += 1;
    laterBegan = past.ageMs;
  }
  return failures;
}

export function hold(
  history: readonly Past[],
  { autoReplace, changeRuns }: { readonly autoReplace: boolean; readonly changeRuns: boolean },
): Hold | null {
  const [last] = byAge(history);
  if (changeRuns || last?.state === 'running') {
    return { why: 'The change that runs takes it in.', next: { next: 'taken in by the change that runs', inMs: null } };
  }
  if (!autoReplace) {
    const why = 'Replacement by itself is switched off (auto-replace); type: quorate enable-ha';
    return { why, next: { next: 'nothing by itself, as auto-replace is off', inMs: null } };
  }
  const day = byAge(history).filter(({ ageMs }) => ageMs < DAY);
  const third = day[MOST_A_DAY - 1];
  if (third !== undefined) {
    const why = `Within a day ${count(day.length, 'replacement')} were begun, and more are for a person to ask for: quorate enable-ha`;
    const next = `replaced, as there were ${MOST_A_DAY} within a day already; sooner with: quorate enable-ha`;
    return { why, next: { next, inMs: DAY - third.ageMs } };
  }
  const failures = failuresInARow(history);
  const pause = failures === 0 ? 0 : MINUTE * 2 ** (failures - 1);
  const left = pause - (last?.endedAgeMs ?? 0);
  if (left <= 0) return null;
  const why = `The last ${failures === 1 ? 'replacement' : count(failures, 'replacement')} failed, and the next one waits for a while.`;
  return {
    why,
    next: {
      next: `tried again, as ${failures === 1 ? 'a replacement' : count(failures, 'replacement')} failed`,
      inMs: left,
    },
  };
}
