import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '../../src/client/client.js';

/** The value below which so many of a hundred lie. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

const EVERY_MS = 50;

/**
 * Other clients, who read and write all the while at a steady pace: seconds from when each request was due until its answer
 * was there, failover included.
 */
export class Probe {
  #seconds: number[] = [];
  #running = true;
  readonly #asking = new Set<Promise<void>>();
  readonly #loop: Promise<void>;

  constructor(private readonly clients: readonly ApiClient[]) {
    this.#loop = this.#run();
  }

  /** What was measured since the last call. */
  lap(): number[] {
    const seconds = this.#seconds;
    this.#seconds = [];
    return seconds;
  }

  async close(): Promise<void> {
    this.#running = false;
    await this.#loop;
    await Promise.all(this.#asking);
  }

  async #run(): Promise<void> {
    const began = performance.now();
    for (let n = 0; this.#running; n += 1) {
      const due = began + n * EVERY_MS;
      await sleep(Math.max(0, due - performance.now()));
      const client = this.clients[n % this.clients.length] as ApiClient;
      const asking = this.#ask(client, n, due).finally(() => this.#asking.delete(asking));
      this.#asking.add(asking);
    }
  }

  /** Every fourth one writes. */
  async #ask(client: ApiClient, n: number, due: number): Promise<void> {
    if (n % 4 !== 3) await client.request('GET', '/v1/settings');
    else await put(client, `x-probe-${n % 40}-${randomUUID()}`, 'there');
    this.#seconds.push((performance.now() - due) / 1000);
  }
}

/** Writes a setting that was not there before. */
export async function put(client: ApiClient, key: string, value: string): Promise<void> {
  await client.request('PUT', `/v1/settings/${key}`, { body: { value, version: 0 }, idempotencyKey: randomUUID() });
}

/** Seconds from when each of some changes was sent until each of `watchers` had heard of it. */
export async function watched(clients: readonly ApiClient[], writer: ApiClient, changes: number): Promise<number[]> {
  const run = randomUUID().slice(0, 8);
  const sent = new Map<string, number>();
  const seconds: number[] = [];
  const ready = new Set<ApiClient>();
  const over = clients.map(() => new AbortController());
  const watching = clients.map(async (client, index) => {
    for await (const { kind, id } of client.watch({ signal: (over[index] as AbortController).signal })) {
      ready.add(client);
      const at = sent.get(id);
      if (kind === 'setting' && at !== undefined) seconds.push((performance.now() - at) / 1000);
    }
  });
  const ended = Promise.allSettled(watching);
  await waitFor('the watchers to hear', async () => {
    await put(writer, `x-watched-${randomUUID()}`, 'there');
    return ready.size === clients.length;
  });
  for (let n = 0; n < changes; n += 1) {
    const key = `x-watched-${run}-${n}`;
    sent.set(key, performance.now());
    await put(writer, key, 'there');
    await sleep(50);
  }
  await waitFor('all watchers to have heard all', () => seconds.length === clients.length * changes);
  for (const each of over) each.abort();
  await ended;
  return seconds;
}

export async function waitFor(what: string, probe: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await probe())) {
    if (performance.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`);
    await sleep(20);
  }
}
