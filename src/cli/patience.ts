import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../errors.js';

/** How long something may take. */
export interface Limits {
  /** Nothing at all moves, ms. */
  readonly stalledMs: number;
  /** In all, ms. */
  readonly longestMs: number;
}

export const ON_THIS_MACHINE: Limits = { stalledMs: 60_000, longestMs: 300_000 };
/** An instance fetches what it runs, and nothing of it moves for whoever waits. */
export const WHERE_INSTANCES_BOOT: Limits = { stalledMs: 15 * 60_000, longestMs: 30 * 60_000 };

/** How long something is waited for: a machine that is busy otherwise is slow, not broken, so what moves is waited for longer. */
export class Patience {
  readonly #began: number;
  #moved: number;
  #stands = '';

  /** @param now ms on a monotonic clock, as everywhere here */
  constructor(
    now: number,
    private readonly limits = ON_THIS_MACHINE,
  ) {
    this.#began = now;
    this.#moved = now;
  }

  /** Whether it is at its end. @param stands where things stand, in whatever words: others than last time are a move */
  endsAt(now: number, stands: string): boolean {
    if (stands !== this.#stands) this.#moved = now;
    this.#stands = stands;
    return now - this.#moved > this.limits.stalledMs || now - this.#began > this.limits.longestMs;
  }

  /** @returns seconds since the beginning */
  waited(now: number): number {
    return (now - this.#began) / 1000;
  }
}

/** Each look costs all controllers something, and what is shown here should not wait for those who look. */
const LOOK_MS = 150;

/** What a client says where controllers are busy or gone: of those that are expected, one may answer the next time. */
const UNANSWERED = ['timed-out', 'no-controller'];

/**
 * Looks again and again until what is awaited is `seen`, and gives that. A look that nobody answers saw nothing, and is an
 * error at the end of its patience alone.
 * @param stands what moves while it goes on, in words
 * @param late the error at the end of its patience, after so many seconds
 */
export async function patiently<T>(
  look: () => Promise<T>,
  seen: (value: T) => boolean,
  stands: (value: T) => string,
  late: (value: T, seconds: number) => Error,
  limits = ON_THIS_MACHINE,
): Promise<T> {
  const patience = new Patience(performance.now(), limits);
  for (;;) {
    try {
      const value = await look();
      if (seen(value)) return value;
      const now = performance.now();
      if (patience.endsAt(now, stands(value))) throw late(value, patience.waited(now));
    } catch (error) {
      const unanswered = error instanceof QuorateError && UNANSWERED.includes(error.code);
      if (!unanswered || patience.endsAt(performance.now(), error.code)) throw error;
    }
    await sleep(LOOK_MS);
  }
}
