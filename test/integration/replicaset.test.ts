import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { isCaughtUp } from '../../src/membership/facts.js';
import type { ReplicaSet } from '../../src/membership/types.js';
import { type Execution, execute } from '../../src/replicaset/execute.js';
import { Observer, observeSet } from '../../src/replicaset/observe.js';
import { TestMembers } from '../support/members.js';
import { Writer } from '../support/writer.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startSet(count: number) {
  const members = await TestMembers.start(count);
  cleanups.push(() => members[Symbol.asyncDispose]());
  await members.initiate();
  const observer = new Observer(members.membership);
  cleanups.push(() => observer.close());
  const seen = async (until: (set: ReplicaSet) => boolean, ms = 15_000): Promise<ReplicaSet> => {
    const deadline = performance.now() + ms;
    for (;;) {
      const set = await observer.observe(members.hosts);
      if (set !== null && until(set)) return set;
      if (performance.now() > deadline) throw new Error(`not seen in time: ${JSON.stringify(set, null, 1)}`);
      await sleep(50);
    }
  };
  const settled = () => seen((set) => set.primary !== null && set.committed && set.unsettled === null);
  const run = async (deed: Execution['deed'], fence?: { version: number; term: number }) =>
    execute({ observer, hosts: members.hosts, joiners: members.joiners, deed, fence: fence ?? (await settled()) });
  return { members, observer, seen, settled, run };
}

test('one controller becomes three and one again under writes, and nothing is lost', async () => {
  const { members, seen, settled, run } = await startSet(3);
  // Everything again, as a bootstrap that was interrupted would.
  await members.initiate();
  const writer = await Writer.start(members.hosts.slice(0, 1), members.state);
  cleanups.push(() => writer.close());

  const start = performance.now();
  expect(await run({ kind: 'join', machines: ['1', '2'] })).toEqual({ already: false });
  const joined = await seen((set) => set.members.length === 3 && set.members.every((m) => isCaughtUp(set, m)));
  expect(joined.members.map((m) => [m.machine, m.votes])).toEqual([
    ['0', 1],
    ['1', 0],
    ['2', 0],
  ]);
  const before = await settled();
  await run({ kind: 'grant-vote', member: 1, machine: '1' });
  // Done already counts as done, also on the fence of before.
  expect(await run({ kind: 'grant-vote', member: 1, machine: '1' }, before)).toEqual({ already: true });
  // Another deed planned on what was before is refused.
  await expect(run({ kind: 'grant-vote', member: 2, machine: '2' }, before)).rejects.toMatchObject({ code: 'stale' });
  await run({ kind: 'grant-vote', member: 2, machine: '2' });
  console.log(`1 to 3 under writes: ${Math.round(performance.now() - start)} ms`);

  await run({ kind: 'hand-over', member: 1, machine: '1' });
  expect((await settled()).primary).toBe(1);
  await expect(run({ kind: 'withdraw-vote', member: 1, machine: '1' })).rejects.toMatchObject({ code: 'stale' });
  await run({ kind: 'withdraw-vote', member: 0, machine: '0' });
  await run({ kind: 'withdraw-vote', member: 2, machine: '2' });
  await run({ kind: 'remove-members', members: [0, 2] });
  const end = await settled();
  expect(end.members.map((m) => [m.machine, m.votes])).toEqual([['1', 1]]);
  expect(writer.acknowledged.size).toBeGreaterThan(100);
  expect(await writer.lost()).toBe(0);
});
