import { QuorateError } from '../errors.js';
import type { AddressSet } from '../store/record.js';
import { AddressBook, dialledOf } from './address-book.js';
import type { Connected, Dialer } from './dial.js';
import { dialFailure, noController, type Published } from './failures.js';
import { Fallback } from './fallback.js';
import { race } from './race.js';

export interface ControllersOptions {
  readonly environment: string;
  readonly addresses: readonly string[];
  /** Version of the set that `addresses` come from; 0 when they come from none. */
  readonly version: number;
  /** Of sets before that one. */
  readonly former: readonly string[];
  readonly url: string | undefined;
  readonly lastResort: () => readonly string[];
  readonly dialer: Dialer;
  readonly staggerMs: number;
  readonly onAddresses: (set: AddressSet) => void;
}

/** The environment's controllers as one thing to connect to. */
export class Controllers {
  readonly #options: ControllersOptions;
  readonly #book: AddressBook;
  readonly #fallback: Fallback | null;
  /** Why each address failed, since the last one that did not. */
  #failures = new Map<string, string>();
  #published: Published = null;

  constructor(options: ControllersOptions) {
    this.#options = options;
    this.#book = new AddressBook(options.addresses, options.version, options.former);
    this.#fallback = options.url ? new Fallback(options.url) : null;
  }

  get addresses(): readonly string[] {
    return this.#book.addresses;
  }

  /**
   * One round: everyone known is dialled, when nobody answers everyone at the published addresses who was not known, and
   * then whoever was known before or is left as the last resort.
   * Throws `no-controller`, or `foreign-ca` when all who answered belong to another environment.
   */
  async connect(): Promise<Connected> {
    const foreign: QuorateError[] = [];
    const known = this.#book.addresses;
    const connected = await this.#race(known, foreign);
    if (connected) return connected;
    let tried = known.length;
    if (this.#fallback !== null) {
      this.#published = await this.#fallback.read();
      if (this.#published && 'set' in this.#published) {
        this.use(this.#published.set);
        const published = dialledOf(this.#published.set);
        const news = published.filter((address) => !known.includes(address));
        const heardOf = await this.#race(news, foreign);
        if (heardOf) return heardOf;
        tried += news.length;
      }
    }
    const left = [...this.#book.former, ...this.#options.lastResort()];
    const last = [...new Set(left)].filter((address) => !this.#book.addresses.includes(address));
    const own = await this.#race(last, foreign);
    if (own) return own;
    tried += last.length;
    throw foreign.length > 0 && foreign.length === tried ? (foreign[0] as QuorateError) : this.noAnswer();
  }

  /** This one failed: the others are tried first from now on. */
  failed(address: string): void {
    this.#book.toEnd(address);
  }

  /** Takes over a published set if it is newer than what is known. */
  use(set: AddressSet): void {
    if (this.#book.use(set)) this.#options.onAddresses(set);
  }

  /** The error for a caller whose patience ends, with what is known of the round so far. */
  noAnswer(): QuorateError {
    return noController(this.#options.environment, this.#failures, this.#published, this.#options.url);
  }

  async #race(candidates: readonly string[], foreign: QuorateError[]): Promise<Connected | null> {
    const { dialer, staggerMs } = this.#options;
    const won = await race(candidates, {
      staggerMs,
      dial: (address, signal) => {
        if (!this.#failures.has(address)) this.#failures.set(address, 'no answer');
        return dialer.dial(address, signal);
      },
      onFailure: (address, error) => {
        if (error instanceof QuorateError && error.code === 'foreign-ca') foreign.push(error);
        this.#failures.set(address, dialFailure(error));
      },
      discard: ({ socket }) => socket.destroy(),
    });
    if (!won) return null;
    this.#failures.clear();
    this.#published = null;
    this.#book.toFront(won.candidate);
    return won.value;
  }
}
