import { Rate } from './rate.js';
import { TooMany } from './too-many.js';

/** The error for a source that has no try left now. */
export function tooManyTries(whose: string, restMs: number): TooMany {
  return new TooMany(`Too many logins ${whose} have failed.`, Math.max(1, Math.ceil(restMs / 1000)));
}

/**
 * How often a password may be tried, by address and by user. A try counts before it is checked, so that many at once are
 * no way around it, and one that was right is given back.
 */
export class LoginTries {
  readonly #addresses = new Rate({ perSecond: 0.5, burst: 30 });
  readonly #users = new Rate({ perSecond: 0.1, burst: 10 });

  /** Takes one try at `now` (milliseconds of a monotonic clock); throws `too-many` when there is none left. */
  take(address: string, user: string, now: number): void {
    // The address first: who guesses names fills no table with them.
    if (!this.#addresses.take(address, now)) throw tooManyTries('from here', this.#addresses.restMs(address, now));
    if (!this.#users.take(user, now)) throw tooManyTries(`as ${user}`, this.#users.restMs(user, now));
  }

  giveBack(address: string, user: string, now: number): void {
    this.#addresses.giveBack(address, now);
    this.#users.giveBack(user, now);
  }
}
