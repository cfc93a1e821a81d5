import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../src/engine/ports.js';
import { Home } from '../test/support/home.js';
import { ownTemporal } from '../test/support/temporal.js';
import type { Bench, Sample } from './figure.js';

const GROUPS: Readonly<Record<string, RegExp>> = {
  heartbeats: /Heartbeat/i,
  activities: /Activity(?!.*Heartbeat)/i,
};

/** What an environment at rest costs on a Temporal that counts actions, as Temporal Cloud does: by the server's own `action` metric. */
export const actions: Bench = {
  goals: {
    heartbeats: { goal: null, unit: '1/h' },
    activities: { goal: null, unit: '1/h' },
    others: { goal: null, unit: '1/h' },
  },
  async *measure(runs, minutes, { controllers = 3 }): AsyncIterable<Sample> {
    for (let run = 0; run < runs; run++) {
      const home = new Home();
      try {
        const metrics = await freePort();
        await ownTemporal(home, {}, ['--metrics-port', String(metrics)]);
        await home.ok('bootstrap', 'local', 'demo', '-n', String(controllers));
        const before = await countsAt(metrics);
        const began = performance.now();
        await sleep(minutes * 60_000);
        const after = await countsAt(metrics);
        const hours = (performance.now() - began) / 3_600_000;
        const sums = new Map<string, number>();
        for (const [type, count] of after) {
          const more = count - (before.get(type) ?? 0);
          if (more > 0) process.stderr.write(`  ${type}: ${(more / hours).toFixed(0)}/h\n`);
          const group = Object.keys(GROUPS).find((name) => GROUPS[name]?.test(type)) ?? 'others';
          sums.set(group, (sums.get(group) ?? 0) + more);
        }
        for (const name of [...Object.keys(GROUPS), 'others']) yield { name, value: (sums.get(name) ?? 0) / hours };
      } finally {
        await home.close();
      }
    }
  },
};

/** The server's counts of billed actions in the namespace, by their type. */
async function countsAt(port: number): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const counts = new Map<string, number>();
  for (const [, type = '', count] of text.matchAll(/^action\{action_type="([^"]+)",namespace="default".*\} (\S+)$/gm)) {
    counts.set(type, (counts.get(type) ?? 0) + Number(count));
  }
  return counts;
}
