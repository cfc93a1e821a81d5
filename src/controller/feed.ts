import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError, reasonOf } from '../errors.js';
import { log } from '../log/log.js';
import { currentToken, type Followed, follow, type StateEvent } from '../state/follow.js';
import type { State } from '../state/state.js';

/** What is followed for all sockets together. */
export const FOLLOWED: readonly Followed[] = [
  'environment',
  'machines',
  'addresses',
  'settings',
  'changes',
  'evidence',
  // Only that one was removed: sockets end with their token.
  'credentials',
  'operations',
  'operationResults',
];

/** Events kept for those who come from another controller a moment late. */
const KEPT = 1000;

export interface Subscriber {
  onEvent(event: StateEvent): void;
  /** Events were missed: whoever must not miss any reads everything again. */
  onGap(): void;
}

/** One change stream for the whole process: every socket is fed from it. */
export class Feed {
  readonly #subscribers = new Set<Subscriber>();
  readonly #ending = new AbortController();
  #kept: StateEvent[] = [];
  #tail: string | null = null;
  #began: () => void = () => {};
  /** Resolves when the feed knows where it is, which takes a majority. */
  readonly ready: Promise<void> = new Promise((resolve) => {
    this.#began = resolve;
  });

  constructor(private readonly state: State) {
    void this.#run();
  }

  /** Token of the latest event; null before `ready`. */
  get tail(): string | null {
    return this.#tail;
  }

  /** Events from now on. Together with `tail` or `after`, called in the same turn, none is missed. */
  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  /** What came after the token so far; null when the token is none of those kept. */
  after(token: string): StateEvent[] | null {
    if (token === this.#tail) return [];
    const index = this.#kept.findLastIndex((event) => event.token === token);
    return index < 0 ? null : this.#kept.slice(index + 1);
  }

  close(): void {
    this.#ending.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        this.#tail = await currentToken(this.state, signal);
        if (this.#tail === null) return;
        this.#began();
        for await (const event of follow(this.state, FOLLOWED, { after: this.#tail, signal })) this.#take(event);
      } catch (error) {
        log().warn(`feed: ${reasonOf(error)}`);
        if (!(error instanceof QuorateError)) await sleep(1000, undefined, { signal }).catch(() => undefined);
      }
      if (signal.aborted) return;
      this.#kept = [];
      for (const subscriber of [...this.#subscribers]) subscriber.onGap();
    }
  }

  #take(event: StateEvent): void {
    this.#tail = event.token;
    this.#kept.push(event);
    if (this.#kept.length > 2 * KEPT) this.#kept = this.#kept.slice(-KEPT);
    for (const subscriber of [...this.#subscribers]) subscriber.onEvent(event);
  }
}
