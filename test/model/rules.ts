/** What is explored, and how what may happen next is told. */
import type { Expired, Goal, Observed, Step } from '../../src/membership/types.js';
import type { World } from './executors.js';
import type { Wrong } from './oracle.js';
import type { State } from './state.js';

export type FaultKind =
  /** mongod dies; its agent starts it again, some time. */
  | 'crash'
  /** The instance ends for good. */
  | 'end'
  /** The instance is powered off; somebody may start it again. */
  | 'off'
  /** Nobody reaches the machine, nor it anybody; may heal. */
  | 'cut'
  /** The agent dies; starts again, some time. */
  | 'agent'
  /** The executor of a deed dies in the middle. */
  | 'drop'
  /** The executor of a deed freezes; the workflow gives it up, and it goes on later. */
  | 'late'
  /** A deed is tried a second time, and the second attempt comes late. */
  | 'twice'
  /** A wait ends at its deadline though what was waited for would have come. */
  | 'slow'
  /** A member stands up though the primary is well. */
  | 'false-election'
  /** mongod dies between writing a config to disk and writing its note. */
  | 'torn'
  /** The change is cancelled. */
  | 'cancel'
  /** The change is terminated, and another one asked for. */
  | 'second';

/** What is explored: the change, its faults, and who plans and acts. */
export interface Rules {
  readonly controllers: number;
  /** What the second command wants, where there may be one. */
  readonly second?: number;
  readonly faults: ReadonlySet<FaultKind>;
  readonly plan: (observed: Observed, goal: Goal, expired: readonly Expired[]) => Step;
  readonly world: World;
  /** Rules of the design are checked too, not only outcomes. */
  readonly rules: boolean;
}

/** What an action is to a run in which no fault comes any more: the lowest goes first; `never`: it does not happen then. */
export const Rank = { repair: 0, progress: 1, deed: 2, plan: 3, time: 4, never: 9 } as const;

/** Takes one thing that may happen: the state after it, its rank, in words, and what was wrong about it. */
export type Emit = (next: State, rank: number, text: () => string, wrong: Wrong | null) => void;

export type Happens = (next: State, rank: number, text: () => string, wrong?: Wrong | null) => void;
export type Fault = (next: State, text: () => string, wrong?: Wrong | null) => void;
export type Faulty = (kind: FaultKind) => boolean;
