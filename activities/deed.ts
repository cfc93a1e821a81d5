import { QuorateError } from '../src/errors.js';
import type { Deed, Step } from '../src/membership/types.js';
import type { ChangeRecord } from './record.js';

type Fence = Extract<Step, { kind: 'do' }>['fence'];

/** A deed with the facts that it was decided on. */
export interface ActivityDeed {
  readonly deed: Deed;
  /** (version, term) of the config planned on; null when the deed does not touch the set. */
  readonly fence: Fence;
  /** Version of the environment's document planned on. */
  readonly environmentVersion: number;
  /** Presence sequence of machines as observed: a verdict fails when one of them has written since. */
  readonly evidence: Readonly<Record<string, number>>;
  /** The change's story so far, kept with the environment along the way. */
  readonly record: ChangeRecord;
}

/** `applied` false: a fence refused it, because the facts have changed; not an error, the planner looks again. */
export interface DeedOutcome {
  readonly applied: boolean;
  readonly note: string;
}

export type DeedOf<K extends Deed['kind']> = Extract<Deed, { kind: K }>;

/** Turns the refusal of a fence into an outcome; anything else is a failure. */
export async function refusedAsStale(act: () => Promise<unknown>): Promise<DeedOutcome> {
  try {
    await act();
    return { applied: true, note: '' };
  } catch (error) {
    if (!(error instanceof QuorateError) || !PLAN_AGAIN.has(error.code)) throw error;
    return { applied: false, note: error.message };
  }
}

/** Refusals that mean: the facts have changed, or it came too early. */
const PLAN_AGAIN: ReadonlySet<string> = new Set(['stale', 'not-yet']);
