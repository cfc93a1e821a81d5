import type { ToldOperation } from '../../api/agent-operations.js';
import type { ResultState } from '../../state/operation-documents.js';

/** What this run of the agent and its disk know of an operation. */
export interface Own {
  /** On this machine's disk: nothing, that it begins, or its end too. */
  readonly journal: 'none' | 'begun' | 'ended';
  /** What its end says; null before. */
  readonly end: ResultState | null;
  /** Pieces of output that are on disk. */
  readonly pieces: number;
  /** What to run is known. */
  readonly hasWork: boolean;
  /** One more command may run. */
  readonly room: boolean;
}

/**
 * `ask`: what is written down? `claim`: it wants to begin it. `begin`: write on disk that it begins, and run it. `give-up`:
 * nobody knows whether it ran. `call-off`: it was cancelled before it was begun. `forget`: nobody needs anything of it any
 * more.
 */
export type Act = 'ask' | 'claim' | 'begin' | 'output' | 'end' | 'give-up' | 'call-off' | 'forget' | 'wait';

const CLOSED: ReadonlySet<ResultState> = new Set(['done', 'failed', 'cancelled', 'timed-out']);

/**
 * What to do next about an operation, from what is on disk and what the environment's documents say (undefined: not told
 * yet; null: there is no such operation). `run` is this run of the agent. Only the run that took it begins it, and only
 * where the disk holds nothing of it: so it is begun once at most. Pure.
 */
export function decide(own: Own, told: ToldOperation['result'] | undefined, run: string): Act {
  if (told === undefined) return own.journal === 'none' ? 'wait' : 'ask';
  if (told === null || CLOSED.has(told.state)) return own.journal === 'begun' ? 'wait' : 'forget';
  if (own.journal !== 'none') {
    if (told.chunks < own.pieces) return 'output';
    if (own.journal === 'begun') return 'wait';
    return told.state === 'unknown' && own.end === 'unknown' ? 'forget' : 'end';
  }
  if (told.state === 'pending') return own.hasWork && own.room ? 'claim' : 'wait';
  if (told.state === 'unknown') return 'forget';
  // Taken by an earlier run, which left no word of having begun it; or its disk was lost with the word.
  if (told.claimedBy !== run || !own.hasWork) return 'give-up';
  return told.cancelling ? 'call-off' : 'begin';
}

/** Whether a command that runs is to be ended: somebody asked for it, or the environment counts it as over. */
export function isUnwanted(told: ToldOperation['result'] | undefined): boolean {
  return told === null || (told !== undefined && (told.cancelling || CLOSED.has(told.state)));
}
