import type { Final } from './history.js';

/**
 * What a watcher is told of settings: every version of every key, in order, each once. Whoever was told that the events
 * after its token are not kept any more begins anew, and knows nothing of any key until it hears of it.
 */
export class WatchLog {
  /** In sentences. */
  readonly wrong: string[] = [];
  readonly #last = new Map<string, number>();
  #whole = true;

  take(key: string, version: number): void {
    const last = this.#last.get(key) ?? (this.#whole ? 0 : null);
    this.#last.set(key, version);
    if (last === null || version === last + 1) return;
    const what =
      version <= last
        ? 'again or late'
        : `without ${version === last + 2 ? last + 1 : `${last + 1} to ${version - 1}`}`;
    this.wrong.push(`the watcher was told of version ${version} of ${key} after version ${last}: ${what}`);
  }

  beginAnew(): void {
    this.#whole = false;
    this.#last.clear();
  }

  /** What it was not told of yet, though it is there. */
  missing(final: Final): string[] {
    return [...final].flatMap(([key, { version }]) => {
      const last = this.#last.get(key) ?? (this.#whole ? 0 : version);
      return last === version
        ? []
        : [`the watcher was told of version ${last} of ${key} last, and it is at ${version}`];
    });
  }
}
