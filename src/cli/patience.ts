import { setTimeout as sleep } from 'node:timers/promises';

/** How long nothing at all may move, ms. */
const STALLED_MS = 60_000;
/** How long it may take in all, ms. */
const LONGEST_MS = 300_000;

/** How long something is waited for: a machine that is busy otherwise is slow, not broken, so what moves is waited for longer. */
export class Patience {
  readonly #began: number;
  #moved: number;
  #stands = '';

  /** @param now ms on a monotonic clock, as everywhere here */
  constructor(now: number) {
    this.#began = now;
    this.#moved = now;
  }

  /** Whether it is at its end. @param stands where things stand, in whatever words: others than last time are a move */
  endsAt(now: number, stands: string): boolean {
    if (stands !== this.#stands) this.#moved = now;
    this.#stands = stands;
    return now - this.#moved > STALLED_MS || now - this.#began > LONGEST_MS;
  }

  /** @returns seconds since the beginning */
  waited(now: number): number {
    return (now - this.#began) / 1000;
  }
}

/** Each look costs all controllers something, and what is shown here should not wait for those who look. */
const LOOK_MS = 150;

/**
 * Looks again and again until what is awaited is `seen`, and gives that.
 * @param stands what moves while it goes on, in words
 * @param late the error at the end of its patience, after so many seconds
 */
export async function patiently<T>(
  look: () => Promise<T>,
  seen: (value: T) => boolean,
  stands: (value: T) => string,
  late: (value: T, seconds: number) => Error,
): Promise<T> {
  const patience = new Patience(performance.now());
  for (;;) {
    const value = await look();
    if (seen(value)) return value;
    const now = performance.now();
    if (patience.endsAt(now, stands(value))) throw late(value, patience.waited(now));
    await sleep(LOOK_MS);
  }
}
