import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient } from '../src/client/client.js';
import { TestEnvironment } from '../test/support/environment.js';
import { percentile, put } from './crowd/probe.js';
import { Etcd } from './etcd.js';
import type { Bench, Sample } from './figure.js';

const CLIENTS = 12;
const LASTING_MS = 5000;

/** How many reads and writes a second three controllers take, and how long one takes at half of that; etcd beside. */
export const rates: Bench = {
  goals: {
    'reads-per-second': { goal: null, unit: '1/s' },
    'read-p99-at-half': { goal: null },
    'writes-per-second': { goal: null, unit: '1/s' },
    'write-p99-at-half': { goal: null },
  },
  async *measure(runs): AsyncIterable<Sample> {
    const environment = await TestEnvironment.bootstrap(3);
    await environment.writer.stop();
    const etcd = await Etcd.start(3).catch((error) => {
      process.stderr.write(`etcd is not measured beside: ${error}\n`);
      return null;
    });
    const clients = await clientsOf(environment);
    try {
      await put(environment.client, 'x-read', 'there');
      await etcd?.put(0, 'read', 'there');
      const ours = {
        read: (n: number) => clients[n]?.request('GET', '/v1/settings/x-read'),
        write: (n: number) => put(clients[n] as ApiClient, `x-${randomUUID()}`, 'there'),
      };
      const floor = etcd && {
        read: (n: number) => etcd.get(n, 'read'),
        write: (n: number) => etcd.put(n, randomUUID(), 'there'),
      };
      for (let run = 0; run < runs; run++) {
        for (const what of ['read', 'write'] as const) {
          const [mine, theirs] = [await measured(ours[what]), floor && (await measured(floor[what]))];
          yield { name: `${what}s-per-second`, value: mine.rate, ...(theirs && { floor: theirs.rate }) };
          yield { name: `${what}-p99-at-half`, value: mine.p99, ...(theirs && { floor: theirs.p99 }) };
        }
      }
    } finally {
      await Promise.all(clients.map((client) => client.close()));
      await etcd?.close();
      await environment.close();
    }
  },
};

/** Clients of one controller each, in turn. */
async function clientsOf(environment: TestEnvironment): Promise<ApiClient[]> {
  const status = await environment.whole(3);
  const tls = await environment.store.credentials('demo');
  if (tls === null) throw new Error('no credentials');
  const apis = status.controllers.map(({ api }) => api);
  return Array.from({ length: CLIENTS }, (_, n) => {
    const [first = '', ...others] = [...apis.slice(n % apis.length), ...apis.slice(0, n % apis.length)];
    return new ApiClient({ environment: status.environment, addresses: [first, ...others], tls });
  });
}

type Ask = (client: number) => Promise<unknown> | undefined;

/** As fast as they are answered, each client one at a time; then at half of that, however late the answers are. */
async function measured(ask: Ask): Promise<{ rate: number; p99: number }> {
  const until = performance.now() + LASTING_MS;
  let asked = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      while (performance.now() < until) {
        await ask(client);
        asked += 1;
      }
    }),
  );
  const rate = (asked * 1000) / LASTING_MS;
  const everyMs = 2000 / rate;
  const began = performance.now();
  const seconds: number[] = [];
  const asking: Promise<void>[] = [];
  for (let n = 0; n * everyMs < LASTING_MS; n++) {
    const due = began + n * everyMs;
    const early = due - performance.now();
    if (early > 1) await sleep(early);
    asking.push(
      (async () => {
        await ask(n % CLIENTS);
        seconds.push((performance.now() - due) / 1000);
      })(),
    );
  }
  await Promise.all(asking);
  return { rate, p99: percentile(seconds, 99) };
}
