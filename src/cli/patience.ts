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
