/**
 * How often each source may try: `burst` at once, `perSecond` after that. Sources that have rested are forgotten, so that
 * the table stays small.
 */
export class Rate {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #spent = new Map<string, { used: number; at: number }>();

  constructor(options: { readonly perSecond: number; readonly burst: number }) {
    this.#perSecond = options.perSecond;
    this.#burst = options.burst;
  }

  /** Takes one try of the source at `now` (milliseconds of a monotonic clock); false when it has none left. */
  take(source: string, now: number): boolean {
    if (this.#spent.size > 10_000) this.#forget(now);
    const used = this.#used(source, now);
    if (used + 1 > this.#burst) return false;
    this.#spent.set(source, { used: used + 1, at: now });
    return true;
  }

  /** Whether the source has a try left; takes none. */
  allows(source: string, now: number): boolean {
    return this.#used(source, now) + 1 <= this.#burst;
  }

  /** Milliseconds until the source has a try again; 0 when it has one. */
  restMs(source: string, now: number): number {
    return Math.max(0, Math.ceil(((this.#used(source, now) + 1 - this.#burst) / this.#perSecond) * 1000));
  }

  /** A try that shall not count. */
  giveBack(source: string, now: number): void {
    this.#spent.set(source, { used: Math.max(0, this.#used(source, now) - 1), at: now });
  }

  #used(source: string, now: number): number {
    const spent = this.#spent.get(source);
    return spent === undefined ? 0 : Math.max(0, spent.used - ((now - spent.at) / 1000) * this.#perSecond);
  }

  #forget(now: number): void {
    for (const source of this.#spent.keys()) if (this.#used(source, now) === 0) this.#spent.delete(source);
  }
}
