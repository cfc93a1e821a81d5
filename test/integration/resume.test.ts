import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Change, Changes } from '../../src/api/changes.js';
import type { Status } from '../../src/api/status.js';
import { engineStatus } from '../../src/engine/engine.js';
import { reconfigByHand } from '../support/by-hand.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';
import { kill } from '../support/kill.js';
import { onMembership, unfinishedActivities } from '../support/temporal.js';

/**
 * What runs or follows a change is ended in the middle of it: the change ends by itself, or the command typed again goes on
 * from there. One environment is led up to three controllers and back to one again and again.
 */

let env: TestEnvironment;
beforeAll(async () => {
  env = await TestEnvironment.bootstrap(1);
});
afterEach(async () => {
  expect(await env.writer.missing()).toEqual([]);
});
afterAll(() => env?.close());

/** Where a test begins. */
async function startAt(controllers: 1 | 3): Promise<void> {
  if ((await env.status()).ha.voters !== controllers) await env.home.ok(controllers === 3 ? 'enable-ha' : 'disable-ha');
  await env.whole(controllers);
}

/** The change ends by itself, whatever was killed: so many vote, and so many instances run. */
async function endsWith(controllers: 1 | 3): Promise<void> {
  await env.statusWhen(
    `${controllers} voters and no change`,
    ({ ha, change }) => ha.healthyVoters === controllers && ha.voters === controllers && change === null,
    120,
  );
  const instances = await env.home.json<{ state: string }[]>('cloud', 'list');
  expect(instances.filter(({ state }) => state === 'running')).toHaveLength(controllers);
}

test('workers are killed at ten moments of changes; each change ends', async () => {
  for (let hits = 0; hits < 10; ) {
    const up = (await env.status()).ha.voters === 1;
    const words = up ? 'enable-ha' : 'disable-ha';
    const { done } = env.home.start(words);
    await env.statusWhen(`${words} to have begun`, ({ change }) => change?.kind === words);
    // Twice, where it lasts so long: also while it comes back from the hit before.
    for (const until = hits + 2; hits < until; ) {
      await sleep(Math.floor(Math.random() * 3000));
      const { controllers, change } = await env.status();
      if (change === null) break;
      for (const { services } of controllers) if (services.worker?.pid) kill(services.worker.pid);
      await env.killEngineWorker();
      hits += 1;
      console.log(`${words}: all workers were killed in: ${change.step || 'its beginning'}`);
      // The engine's worker comes back with the next command that needs it.
      await env.home.ok('engine', 'start');
    }
    const run = await done;
    expect(`${run.stdout}${run.stderr}`).toMatch(up ? /3 of 3 vote/ : /1 of 1 vote/);
    expect(run.code).toBe(0);
    await env.whole(up ? 3 : 1);
  }
}, 900_000);

test('two enable-ha at once: one runs, the other is told; three instances in the end', async () => {
  await startAt(1);
  const runs = await Promise.all([env.home.run('enable-ha', '-n', '3'), env.home.run('enable-ha')]);
  const codes = runs.map(({ code }) => code).sort();
  expect(codes).toEqual([0, 1]);
  const refused = runs.find(({ code }) => code === 1);
  expect(refused?.stderr).toMatch(/demo is being changed already: enable-ha/);
  expect(refused?.stderr).toMatch(/Follow it with: quorate watch/);
  expect((await env.status()).ha.voters).toBe(3);
  const instances = await env.home.json<{ state: string }[]>('cloud', 'list');
  const states = instances.map(({ state }) => state).filter((state) => state !== 'terminated');
  expect(states).toEqual(['running', 'running', 'running']);
});

test('the engine is killed in the middle and started again by the next command; the change goes on', async () => {
  await startAt(3);
  await env.home.ok('disable-ha', '--detach');
  await env.statusWhen('the change to have begun', ({ change }) => change !== null);
  const { pid } = await engineStatus(env.store.dirs);
  kill(pid);
  await env.home.ok('engine', 'start');
  await endsWith(1);
});

test('an instance is ended while it joins: another one takes its place', async () => {
  await startAt(1);
  const { done } = env.home.start('enable-ha');
  const joins = ({ member }: Status['controllers'][number]) => member !== null && !member.vote;
  const { controllers } = await env.statusWhen('a member without a vote', ({ controllers }) => controllers.some(joins));
  const ended = controllers.filter(joins).at(-1);
  await env.cloud.terminate(ended?.instance ?? '');
  const { code, stdout, stderr } = await done;
  if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
  const whole = await env.whole(3);
  const others = controllers.filter((one) => one !== ended).map(({ machine }) => machine);
  expect(others).toHaveLength(2);
  expect(new Set(whole.controllers.map(({ machine }) => machine))).toEqual(
    new Set([...others, String(Number(ended?.machine) + 1)]),
  );
  // Else it was ended too late to have been joining.
  const { steps } = await latestChange();
  expect(steps.filter(({ state }) => state === 'done').map(({ text }) => text)).not.toContain(
    `grant a vote to machine ${ended?.machine}`,
  );
});

test('the command is killed in the middle; the change goes on and can be followed again', async () => {
  await startAt(3);
  const { child, done } = env.home.start('disable-ha');
  const { change } = await env.statusWhen('the change to have begun', ({ change }) => change !== null);
  child.kill('SIGKILL');
  await done;
  expect(await env.home.ok('watch', change?.id ?? '')).toMatch(/1 of 1 vote/);
  await endsWith(1);
});

test('Ctrl-C leaves a change alone and ends at once, though Temporal does not answer', async () => {
  await startAt(1);
  const { pid } = await engineStatus(env.store.dirs);
  const { child, done } = env.home.start('enable-ha');
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  await until('a step to be shown', async () => said.includes('✓'));
  kill(pid, 'SIGSTOP');
  try {
    child.kill('SIGINT');
    await until('the command to leave', async () => child.exitCode !== null || child.signalCode !== null, 10);
  } finally {
    kill(pid, 'SIGCONT');
  }
  const { code, stderr } = await done;
  expect(stderr.trim().split('\n').at(-1)).toMatch(/^Detached; the change goes on\. Follow it with: quorate watch /);
  expect(code).toBe(0);
  await endsWith(3);
});

test('a reconfig is made by hand in the middle of a change: the change takes it in', async () => {
  await startAt(1);
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
});

test('the workflow is terminated in the middle of a reconfig; the command typed again goes on from there', async () => {
  await startAt(1);
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
    await endsWith(3);
  }
}, 600_000);

test('a cancelled change stops at a safe point and says where', async () => {
  await startAt(1);
  const { done } = env.home.start('enable-ha');
  await env.statusWhen('two voters', ({ ha }) => ha.voters >= 2);
  await onMembership(env.store, 'demo', (change) => change.cancel());
  const { code, stderr } = await done;
  if (code !== 0) expect(stderr).toMatch(/was cancelled: (1 controller votes|3 controllers vote) \([0-9, and]+\)/);
  const { ha } = await env.status();
  expect(ha.voters % 2).toBe(1);
  await env.home.ok('enable-ha').catch((error) => expect(String(error)).toMatch(/already/));
  await endsWith(3);
});

/** The story of the change that began last. */
async function latestChange(): Promise<Change> {
  const [latest] = (await env.client.request<Changes>('GET', '/v1/changes')).body.changes;
  if (latest === undefined) throw new Error('no change is told of');
  return latest;
}
