import { setTimeout as sleep } from 'node:timers/promises';
import { CALLS, type CallName } from './calls.js';

/** How much may be asked: so many at once, then so many a second. */
export interface Allowance {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * What an environment may ask of Amazon from one process. An account has about 100 reads at once and 20 a second, 50 changes
 * and 5 a second (EC2's request throttling), and others live in it too.
 */
export const ALLOWANCES: { readonly reads: Allowance; readonly changes: Allowance } = {
  reads: { burst: 50, perSecond: 5 },
  changes: { burst: 20, perSecond: 2 },
};

/** One budget of calls, shared by all that an environment does in a process; whoever comes first is served first. */
export class Budget {
  readonly #reads: Purse;
  readonly #changes: Purse;
  readonly #counts = new Map<CallName, number>();

  constructor(allowances = ALLOWANCES) {
    this.#reads = new Purse(allowances.reads);
    this.#changes = new Purse(allowances.changes);
  }

  /** Returns once the call may be made; counts it, tried again or not. */
  async take(call: CallName): Promise<void> {
    this.#counts.set(call, (this.#counts.get(call) ?? 0) + 1);
    const owedMs = (CALLS[call].changes ? this.#changes : this.#reads).take(performance.now());
    if (owedMs > 0) await sleep(owedMs);
  }

  /** How often each call was made so far. */
  counts(): Readonly<Partial<Record<CallName, number>>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => a.localeCompare(b)));
  }
}

/** A token bucket that may be overdrawn: what is owed is how long the one who took it waits. Pure but for what it holds. */
export class Purse {
  #left: number;
  #at: number | null = null;

  constructor(private readonly allowance: Allowance) {
    this.#left = allowance.burst;
  }

  /** @param now milliseconds of a clock that never goes back @returns milliseconds to wait before the call */
  take(now: number): number {
    const { burst, perSecond } = this.allowance;
    const earned = ((now - (this.#at ?? now)) / 1000) * perSecond;
    this.#left = Math.min(burst, this.#left + earned) - 1;
    this.#at = now;
    return this.#left >= 0 ? 0 : (-this.#left / perSecond) * 1000;
  }
}
