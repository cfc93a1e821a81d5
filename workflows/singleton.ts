import { continueAsNew, isCancellation, log, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { Follower, Work } from '../activities/work.js';
import { network } from './activities.js';
import { keepHandOvers } from './hand-overs.js';

/** Input of every singleton; it runs for the environment's life. */
export interface SingletonInput {
  readonly environment: { readonly name: string; readonly uuid: string };
  readonly key: string;
  /** Machines that are left alone for a while, because what was tried on them failed (`BackOff`). */
  readonly backOff?: Readonly<Record<string, BackOff>>;
}

/** A deadline, not a duration: it crosses continue-as-new. */
export interface BackOff {
  readonly failures: number;
  /** Workflow time, milliseconds. */
  readonly until: number;
}

/** One follow-up lasts at most this long, and so does a change that no change stream reported. */
const LOOK_AGAIN_MS = 5 * 60_000;
const MOST_ROUNDS = 200;

/** What makes a singleton this one: what it calls work, and how one piece of it is done. */
export interface Duty {
  readonly name: Follower;
  /** What the activity that waits for work is called in the UI. */
  readonly waitingFor: string;
  /** Returns what to write down when it failed; throws for what is no failure of the work itself. */
  readonly perform: (input: SingletonInput, work: Work) => Promise<{ readonly failed: boolean }>;
}

/**
 * The loop of every singleton: an activity of bounded length follows the environment's documents and returns when there
 * is work; all of it is done at once, each piece on its own; then it looks again. Driven by change, with the length of
 * the activity as the slow timer behind it. Facts are read anew in every round, so nothing is carried over but who is to
 * be left alone until when.
 */
export async function runSingleton(input: SingletonInput, duty: Duty): Promise<never> {
  keepHandOvers();
  let backOff: Record<string, BackOff> = { ...input.backOff };
  for (let round = 0; ; round++) {
    if (round >= MOST_ROUNDS || workflowInfo().continueAsNewSuggested) {
      return await continueAsNew<(next: SingletonInput) => Promise<never>>({ ...input, backOff });
    }
    backOff = stillBackingOff(backOff, Date.now());
    setCurrentDetails(describe(duty, backOff));
    const resting = Object.keys(backOff);
    const wake = Math.min(LOOK_AGAIN_MS, ...Object.values(backOff).map(({ until }) => until - Date.now()));
    const works = await network(input.key, { as: 'follow', summary: duty.waitingFor }).followWork({
      singleton: duty.name,
      resting: resting.filter((machine) => (backOff[machine]?.until ?? 0) > Date.now()),
      forMs: Math.max(1000, wake),
    });
    const results = await Promise.all(works.map(async (work) => ({ work, ...(await attempt(input, duty, work)) })));
    for (const { work, failed } of results) {
      if (failed) backOff[work.machine] = nextBackOff(backOff[work.machine], Date.now());
      else delete backOff[work.machine];
    }
  }
}

/** One piece of work that fails must not take the others with it, nor end the singleton. */
async function attempt(input: SingletonInput, duty: Duty, work: Work): Promise<{ failed: boolean }> {
  try {
    return await duty.perform(input, work);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('work failed', { work, reason: String(error) });
    return { failed: true };
  }
}

/** 2, 4, 8, … seconds, at most five minutes. */
export function nextBackOff(before: BackOff | undefined, now: number): BackOff {
  const failures = (before?.failures ?? 0) + 1;
  return { failures, until: now + Math.min(1000 * 2 ** failures, LOOK_AGAIN_MS) };
}

/** Those whose rest is over keep their count of failures until they succeed, for as long again. */
function stillBackingOff(backOff: Readonly<Record<string, BackOff>>, now: number): Record<string, BackOff> {
  return Object.fromEntries(Object.entries(backOff).filter(([, { until }]) => until > now - LOOK_AGAIN_MS));
}

function describe(duty: Duty, backOff: Readonly<Record<string, BackOff>>): string {
  const rest = Object.entries(backOff).map(
    ([machine, { failures, until }]) =>
      `- ${/^\d/.test(machine) ? `machine ${machine}` : machine}: failed ${failures} times, next attempt ${new Date(until).toISOString().slice(11, 19)} UTC`,
  );
  return [`Runs as long as the environment; ${duty.waitingFor}.`, ...rest].join('\n');
}
