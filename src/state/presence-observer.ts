import { setTimeout as sleep } from 'node:timers/promises';
import type { PresenceDocument } from './documents.js';
import { readPresence } from './presence.js';
import { PresenceWatch } from './presence-watch.js';
import type { State } from './state.js';

const LOOK_MS = 500;

/** Looks at the presence of all agents twice a second, so that this process can say who is silent. */
export class PresenceObserver {
  readonly #watch = new PresenceWatch();
  readonly #ending = new AbortController();
  #controllers: readonly PresenceDocument[] = [];

  constructor(private readonly state: State) {
    void this.#run();
  }

  /** Milliseconds that the agent of a machine has been silent, while it could have been heard. */
  silentMs(machine: string): number {
    return this.#watch.silentMs(machine);
  }

  /** Milliseconds of that silence that may be held against it: somebody else was heard meanwhile. */
  missedMs(machine: string): number {
    return this.#watch.missedMs(machine);
  }

  /** Milliseconds that all of it was watched without a gap. */
  get watchedMs(): number {
    return this.#watch.watchedMs;
  }

  /** What the agents of controllers said last. */
  get controllers(): readonly PresenceDocument[] {
    return this.#controllers;
  }

  /** How many agents have been silent for so long, and how many have not. */
  count(silentMs: number): { readonly heard: number; readonly silent: number } {
    return this.#watch.count(silentMs);
  }

  close(): void {
    this.#ending.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const began = performance.now();
      // Without a primary nobody can write presence, and silence says nothing.
      if (this.state.primary() !== null) {
        await readPresence(this.state).then(
          (presence) => {
            this.#watch.look(presence, performance.now());
            this.#controllers = presence.filter(({ report }) => Object.keys(report.services).length > 0);
          },
          () => undefined,
        );
      }
      const pause = Math.max(50, LOOK_MS - (performance.now() - began));
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }
}
