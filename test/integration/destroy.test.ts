import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openStore } from '../../src/store/store.js';
import { Home, until } from '../support/home.js';
import { onMembership } from '../support/temporal.js';
import { Traces } from '../support/traces.js';

/** What is under way when the environment is destroyed, and how many controllers it has before; null: it is not there yet. */
const UNDER_WAY = {
  bootstrap: { typed: (name: string) => ['bootstrap', 'local', name], before: null },
  'enable-ha': { typed: (name: string) => ['enable-ha', '-e', name], before: 1 },
  'disable-ha': { typed: (name: string) => ['disable-ha', '-e', name], before: 3 },
} as const;

test('destroy in the middle of a bootstrap and of changes, at any moment, leaves nothing at all', async () => {
  const home = new Home();
  try {
    const rounds = ['bootstrap', 'enable-ha', 'disable-ha', 'bootstrap', 'enable-ha'] as const;
    for (const [index, kind] of rounds.entries()) {
      // The first at once, as soon as there is something to destroy.
      for (let limit = index === 0 ? 0 : 2500, over = true; over; ) {
        const { delay, inTime } = await destroyDuring(home, kind, limit);
        limit = delay;
        over = !inTime;
      }
    }
  } finally {
    await home.close();
  }
}, 600_000);

/** One environment, destroyed some time after a command has begun with it. @returns when, and whether that still ran */
async function destroyDuring(home: Home, kind: keyof typeof UNDER_WAY, limit: number) {
  const name = 'other';
  const { typed, before } = UNDER_WAY[kind];
  if (before !== null) await home.ok('bootstrap', 'local', name, '-n', String(before));
  const store = await openStore(home.env);
  const { child, done } = home.start(...typed(name));
  await until(`${kind} to have begun`, async () => {
    if (kind === 'bootstrap') return (await store.readEnvironment(name)) !== null;
    return await onMembership(store, name, async (change) => (await change.describe()).status.name === 'RUNNING');
  });
  const delay = Math.floor(Math.random() * limit);
  await sleep(delay);
  const inTime = child.exitCode === null;
  console.log(`${kind}: destroyed ${delay} ms after it had begun${inTime ? '' : ', when it was over already'}`);
  const traces = await Traces.of(store, name);
  await home.ok('destroy-environment', name, '--yes', '--force');
  expect(await traces.left()).toEqual([]);
  const { stderr } = await done;
  expect(stderr).not.toMatch(/this should not have happened/);
  // Whoever followed it has left nothing either.
  expect(await traces.left()).toEqual([]);
  return { delay, inTime };
}
