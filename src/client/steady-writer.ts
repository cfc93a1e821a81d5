import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../errors.js';
import type { ApiClient } from './client.js';

/** What is counted between two calls of `lap`. */
export interface Lap {
  /** Acknowledged writes. */
  readonly acknowledged: number;
  /** Longest time between two acknowledged writes, in seconds; includes the one still waited for. */
  readonly longestWait: number;
}

/**
 * A client that writes through the API all the time, and remembers each write that was acknowledged, so that all of
 * them can be asked for in the end. Each write makes a setting of its own (`x-<run>-<n>`) by compare-and-set from
 * "absent", so a write that was made twice, or lost, would show. Outcomes that nobody can know are counted as such.
 */
export class SteadyWriter {
  readonly #client: ApiClient;
  readonly #prefix: string;
  readonly #acknowledged = new Set<string>();
  readonly #unknown = new Set<string>();
  readonly #errors: string[] = [];
  #next = 0;
  #lapCount = 0;
  #lapLongest = 0;
  #last = 0;
  #running = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(client: ApiClient, run: string) {
    this.#client = client;
    this.#prefix = `x-${run}-`;
  }

  /**
   * @param pauseMs between two writes; without one the writer, the API server and the members keep a processor busy, which
   *   is what to measure with and not what to test beside
   */
  start(pauseMs = 0): void {
    this.#running = true;
    this.#last = performance.now();
    this.#writing = this.#write(pauseMs);
  }

  /** Ends after the write under way is answered. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#writing;
  }

  /** What was counted since the last call. */
  lap(): Lap {
    const now = performance.now();
    const lap = {
      acknowledged: this.#lapCount,
      longestWait: Math.max(this.#lapLongest, this.#running ? now - this.#last : 0) / 1000,
    };
    this.#lapCount = 0;
    this.#lapLongest = 0;
    return lap;
  }

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  /** Writes of which nobody can know whether they were made. */
  get unknown(): number {
    return this.#unknown.size;
  }

  /** Errors other than an unknown outcome, the first hundred; an environment that is well gives none. */
  get errors(): readonly string[] {
    return this.#errors;
  }

  /**
   * Reads everything back from the environment.
   * @returns the keys of writes acknowledged until now that are not there
   */
  async missing(): Promise<string[]> {
    const acknowledged = [...this.#acknowledged];
    const there = new Set<string>();
    let after = '';
    for (;;) {
      const query = new URLSearchParams({ prefix: this.#prefix, limit: '1000', ...(after ? { after } : {}) });
      const { body } = await this.#client.request<{ settings: { key: string }[]; next: string | null }>(
        'GET',
        `/v1/settings?${query}`,
      );
      for (const { key } of body.settings) there.add(key);
      if (!body.next) break;
      after = body.next;
    }
    return acknowledged.filter((key) => !there.has(key));
  }

  async #write(pauseMs: number): Promise<void> {
    while (this.#running) {
      const key = `${this.#prefix}${String(this.#next++).padStart(8, '0')}`;
      try {
        await this.#client.request('PUT', `/v1/settings/${key}`, {
          body: { value: 'written', version: 0 },
          idempotencyKey: randomUUID(),
          timeoutMs: 60_000,
        });
        this.#count(key);
      } catch (error) {
        if (error instanceof QuorateError && error.code === 'unknown-outcome') this.#unknown.add(key);
        else {
          if (this.#errors.length < 100) this.#errors.push(`${key}: ${error instanceof Error ? error.message : error}`);
          // Nobody answers: not worth a hot loop.
          await sleep(50);
        }
      }
      if (pauseMs > 0) await sleep(pauseMs);
    }
  }

  #count(key: string): void {
    const now = performance.now();
    this.#acknowledged.add(key);
    this.#lapCount += 1;
    this.#lapLongest = Math.max(this.#lapLongest, now - this.#last);
    this.#last = now;
  }
}
