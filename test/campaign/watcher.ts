import type { ApiClient } from '../../src/client/client.js';
import { QuorateError } from '../../src/errors.js';
import type { Final } from './history.js';
import type { Story } from './story.js';
import { WatchLog } from './watch-log.js';

/** How long nobody may answer before a watch ends: longer than any fault lasts. */
const PATIENCE_MS = 600_000;

/** A client that watches the environment from before the first write to after the last. */
export class Watcher {
  readonly #log = new WatchLog();
  readonly #api: ApiClient;
  readonly #prefix: string;
  readonly #story: Story;
  readonly #ending = new AbortController();
  #events = 0;
  #watching: Promise<void> = Promise.resolve();

  constructor(api: ApiClient, prefix: string, story: Story) {
    this.#api = api;
    this.#prefix = prefix;
    this.#story = story;
  }

  get events(): number {
    return this.#events;
  }

  /** Resolves when the watch has begun: what is written from then on is seen. */
  async start(): Promise<void> {
    const write = async (version: number) => {
      const options = { body: { value: 'begin', version }, idempotencyKey: `${this.#prefix}watch-${version}` };
      const path = `/v1/settings/${this.#prefix}watch-0`;
      return (await this.#api.request<{ version: number }>('PUT', path, options)).body.version;
    };
    let version = await write(0);
    let waiting = true;
    const began = new Promise<void>((resolve) => {
      this.#watching = this.#watch(resolve);
    });
    const watched = Promise.race([began, this.#watching]).finally(() => {
      waiting = false;
    });
    // Whether the watch has begun shows by what it is told: it is given something until it is, one after the other.
    const nudging = (async () => {
      while (waiting) {
        version = await write(version);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    })();
    await Promise.all([watched, nudging]);
  }

  /** Waits until it was told of everything that is there. @returns what is wrong, in sentences */
  async end(final: Final): Promise<string[]> {
    const deadline = performance.now() + 30_000;
    const own = new Map([...final].filter(([key]) => !key.startsWith(`${this.#prefix}watch-`)));
    while (this.#log.missing(own).length > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    this.#ending.abort();
    await this.#watching;
    await this.#api.close();
    return [...this.#log.wrong, ...this.#log.missing(own)];
  }

  async #watch(begun: () => void): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        for await (const { kind, id, document } of this.#api.watch({ signal, timeoutMs: PATIENCE_MS })) {
          if (kind !== 'setting' || !id.startsWith(this.#prefix)) continue;
          begun();
          if (id.startsWith(`${this.#prefix}watch-`)) continue;
          this.#events += 1;
          this.#log.take(id, (document as { version: number }).version);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof QuorateError)) throw error;
        this.#story.tell('watcher', `begins anew: ${error.code}: ${error.message}`);
        this.#log.beginAnew();
      }
    }
  }
}
