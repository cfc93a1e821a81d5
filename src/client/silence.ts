/**
 * Counts how long a peer has been silent, on our own clock and only while we ourselves ran: a tick that comes late (our
 * event loop stood still, the machine slept) counts as one tick, since what the peer sent meanwhile was not read yet.
 */
export class Silence {
  readonly #tickMs: number;
  readonly #limitMs: number;
  #lastTick: number;
  #silentMs = 0;

  constructor(options: { readonly tickMs: number; readonly limitMs: number; readonly now: number }) {
    this.#tickMs = options.tickMs;
    this.#limitMs = options.limitMs;
    this.#lastTick = options.now;
  }

  /** To be called every `tickMs`; `heard`: the peer gave a sign of life since the last tick. True: given up. */
  tick(now: number, heard: boolean): boolean {
    const elapsed = Math.min(now - this.#lastTick, 1.5 * this.#tickMs);
    this.#lastTick = now;
    this.#silentMs = heard ? 0 : this.#silentMs + elapsed;
    return this.#silentMs >= this.#limitMs;
  }
}
