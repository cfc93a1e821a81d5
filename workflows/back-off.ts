/** A deadline, not a duration: it crosses continue-as-new. */
export interface BackOff {
  readonly failures: number;
  /** Workflow time, milliseconds. */
  readonly until: number;
  /** The retries that people had asked for when it failed: one more ends the rest. */
  readonly retries: number;
}

const MOST_MS = 5 * 60_000;

/** 2, 4, 8, … seconds, at most five minutes; from the beginning again after a retry that a person asked for. */
export function nextBackOff(before: BackOff | undefined, retries: number, now: number): BackOff {
  const failures = (before !== undefined && before.retries >= retries ? before.failures : 0) + 1;
  return { failures, until: now + Math.min(1000 * 2 ** failures, MOST_MS), retries };
}

/** Those whose rest is over keep their count of failures until they succeed, for as long again. */
export function stillBackingOff(backOff: Readonly<Record<string, BackOff>>, now: number): Record<string, BackOff> {
  return Object.fromEntries(Object.entries(backOff).filter(([, { until }]) => until > now - MOST_MS));
}
