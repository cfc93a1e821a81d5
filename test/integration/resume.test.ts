import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Change, Changes } from '../../src/api/changes.js';
import { engineStatus } from '../../src/engine/engine.js';
import { openStore } from '../../src/store/store.js';
import { reconfigByHand } from '../support/by-hand.js';
import { TestEnvironment } from '../support/environment.js';
import { Home, until } from '../support/home.js';
import { onMembership, unfinishedActivities } from '../support/temporal.js';
import { Traces } from '../support/traces.js';

let env: TestEnvironment | null = null;
afterEach(async () => {
  await env?.close();
  env = null;
});

async function environment(controllers: 1 | 3 = 1): Promise<TestEnvironment> {
  env = await TestEnvironment.bootstrap(controllers);
  return env;
}

/** The change ends by itself, whatever was killed: three vote, three instances run, nothing was lost. */
async function endsWithThree(env: TestEnvironment, seconds = 120): Promise<void> {
  await env.statusWhen(
    'three controllers and no change',
    (status) => status.ha.healthyVoters === 3 && status.ha.voters === 3 && status.change === null,
    seconds,
  );
  const instances = await env.home.json<{ state: string }[]>('cloud', 'list');
  expect(instances.filter(({ state }) => state === 'running')).toHaveLength(3);
}

test('workers are killed at ten moments of changes; each change ends, nothing is lost', async () => {
  const env = await environment();
  let up = true;
  for (let hits = 0, limit = 3000; hits < 10; up = !up) {
    const words = up ? 'enable-ha' : 'disable-ha';
    const { done } = env.home.start(words);
    await env.statusWhen(`${words} to have begun`, ({ change }) => change?.kind === words);
    const delay = Math.floor(Math.random() * limit);
    await sleep(delay);
    const { controllers, change } = await env.status();
    if (change === null) {
      console.log(`${words} was over ${delay} ms after it had begun: too late to kill anybody`);
      limit = delay;
    } else {
      for (const { services } of controllers) if (services.worker?.pid) kill(services.worker.pid);
      await env.killEngineWorker();
      hits += 1;
      console.log(`${words}: all workers were killed ${delay} ms after it had begun, in: ${change.step}`);
      // The engine's worker comes back with the next command that needs it.
      await env.home.ok('engine', 'start');
    }
    const run = await done;
    expect(`${run.stdout}${run.stderr}`).toMatch(up ? /3 of 3 vote/ : /1 of 1 vote/);
    expect(run.code).toBe(0);
    await env.whole(up ? 3 : 1);
  }
  expect(await env.lost()).toEqual([]);
}, 900_000);

test('the engine is killed in the middle and started again by the next command; the change goes on', async () => {
  const env = await environment();
  await env.home.ok('enable-ha', '--detach');
  await env.statusWhen('the change to have begun', ({ change }) => change !== null);
  const { pid } = await engineStatus(env.store.dirs);
  kill(pid ?? 0);
  await env.home.ok('engine', 'start');
  await endsWithThree(env);
  expect(await env.lost()).toEqual([]);
});

test('the command is killed in the middle; the change goes on and can be followed again', async () => {
  const env = await environment();
  const { child, done } = env.home.start('enable-ha');
  const { change } = await env.statusWhen('the change to have begun', ({ change }) => change !== null);
  child.kill('SIGKILL');
  await done;
  expect(await env.home.ok('watch', change?.id ?? '')).toMatch(/3 of 3 vote/);
  await endsWithThree(env);
  expect(await env.lost()).toEqual([]);
});

test('two enable-ha at once: one runs, the other is told; three instances in the end', async () => {
  const env = await environment();
  const runs = await Promise.all([env.home.run('enable-ha', '-n', '3'), env.home.run('enable-ha')]);
  const codes = runs.map(({ code }) => code).sort();
  expect(codes).toEqual([0, 1]);
  const refused = runs.find(({ code }) => code === 1);
  expect(refused?.stderr).toMatch(/demo is being changed already: enable-ha/);
  expect(refused?.stderr).toMatch(/Follow it with: quorate watch/);
  expect((await env.status()).ha.voters).toBe(3);
  const instances = await env.home.json<{ state: string }[]>('cloud', 'list');
  expect(instances.map(({ state }) => state)).toEqual(['running', 'running', 'running']);
  expect(await env.lost()).toEqual([]);
});

test('an instance is ended while it joins: another one takes its place', async () => {
  const env = await environment();
  const { done } = env.home.start('enable-ha');
  const { controllers } = await env.statusWhen('machine 2 to be a member without a vote', ({ controllers }) =>
    controllers.some(({ machine, member }) => machine === '2' && member !== null && !member.vote),
  );
  await env.cloud.terminate(controllers.find(({ machine }) => machine === '2')?.instance ?? '');
  const { code, stdout, stderr } = await done;
  if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
  const whole = await env.whole(3);
  expect(whole.controllers.map(({ machine }) => machine)).toEqual(['0', '1', '3']);
  // Else it was ended too late to have been joining.
  const { steps } = await latestChange(env);
  expect(steps.filter(({ state }) => state === 'done').map(({ text }) => text)).not.toContain(
    'grant a vote to machine 2',
  );
  expect(await env.lost()).toEqual([]);
});

test('a reconfig is made by hand in the middle of a change: the change takes it in', async () => {
  const env = await environment();
  const { done } = env.home.start('enable-ha');
  await env.statusWhen('a member that joins', ({ controllers }) =>
    controllers.some(({ member }) => member !== null && !member.vote),
  );
  await reconfigByHand(env.store, await env.status(), (member) =>
    member.votes === 0 ? { ...member, tags: { ...member.tags, byHand: 'yes' } } : member,
  );
  const { code, stderr } = await done;
  expect(stderr).not.toMatch(/this should not have happened/);
  expect(code).toBe(0);
  await env.whole(3);
  expect(await env.lost()).toEqual([]);
});

test('the workflow is terminated in the middle of a reconfig; the command typed again goes on from there', async () => {
  const env = await environment();
  let terminatedIn: string[] = [];
  for (let tries = 0; !terminatedIn.includes('grantVote'); tries++) {
    if (tries === 8) throw new Error('of eight changes none was terminated while it granted a vote');
    if (tries > 0) await env.home.ok('disable-ha');
    await env.home.ok('enable-ha', '--detach');
    await env.statusWhen('a vote to be granted', ({ change }) => change?.step.startsWith('grant a vote') === true);
    terminatedIn = await onMembership(env.store, 'demo', async (change) => {
      await change.terminate('by hand');
      return await unfinishedActivities(change);
    });
    console.log(`terminated in the middle of: ${terminatedIn.join(', ') || 'nothing'}`);
    await env.home.ok('enable-ha');
    await endsWithThree(env);
  }
  expect(await env.lost()).toEqual([]);
}, 600_000);

test('a cancelled change stops at a safe point and says where', async () => {
  const env = await environment();
  const { done } = env.home.start('enable-ha');
  await env.statusWhen('two voters', ({ ha }) => ha.voters >= 2);
  await onMembership(env.store, 'demo', (change) => change.cancel());
  const { code, stderr } = await done;
  if (code !== 0) expect(stderr).toMatch(/was cancelled: (1 controller votes|3 controllers vote) \([0-9, and]+\)/);
  const { ha } = await env.status();
  expect(ha.voters % 2).toBe(1);
  await env.home.ok('enable-ha').catch((error) => expect(String(error)).toMatch(/already/));
  await endsWithThree(env);
  expect(await env.lost()).toEqual([]);
});

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

/** The story of the change that began last. */
async function latestChange(env: TestEnvironment): Promise<Change> {
  const [latest] = (await env.client.request<Changes>('GET', '/v1/changes')).body.changes;
  if (latest === undefined) throw new Error('no change is told of');
  return latest;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
