import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Changes } from '../../src/api/changes.js';
import type { Status } from '../../src/api/status.js';
import { adminCommand } from '../../src/replicaset/connect.js';
import { progressOf } from '../../src/temporal/changes.js';
import { setPriority } from '../support/by-hand.js';
import { TestEnvironment } from '../support/environment.js';
import { record } from '../support/histories.js';
import { until } from '../support/home.js';
import { memberClient } from '../support/member.js';
import { onMembership } from '../support/temporal.js';

/** Replacing, switching over, maintenance and resync on one environment, under writes. */
let env: TestEnvironment;
/** Everything here happens on a machine that may be busy with much else. */
const SECONDS = 150;

beforeAll(async () => {
  env = await TestEnvironment.bootstrap(1);
}, 120_000);
afterAll(() => env?.close(), 60_000);

const secondaries = ({ ha, controllers }: Status): string[] =>
  controllers.map(({ machine }) => machine).filter((machine) => machine !== ha.primary);
/** Where the machine's agent keeps what survives a restart. */
async function disk(machine: string): Promise<string> {
  const record = await env.store.readEnvironment('demo');
  return join(env.store.dirs.localCloud, record?.uuid ?? '', await env.instanceOf(machine), 'disk');
}
const primary = async (): Promise<string> => (await env.status()).ha.primary ?? '';

async function refused(words: readonly string[], sentence: RegExp): Promise<void> {
  const before = (await env.client.request<Changes>('GET', '/v1/changes')).body.changes.length;
  const { code, stderr } = await until('a primary that everybody sees', async () => {
    const run = await env.home.run(...words);
    return !/No member is primary/.test(run.stderr) && run;
  });
  expect([code, stderr]).toEqual([expect.any(Number), expect.stringMatching(sentence)]);
  expect(code).not.toBe(0);
  expect((await env.client.request<Changes>('GET', '/v1/changes')).body.changes).toHaveLength(before);
}

test('the only controller is neither replaced, nor handed over from, nor put under maintenance', async () => {
  await refused(['replace', '0'], /Machine 0 is the only controller/);
  await refused(['switchover'], /Machine 0 is the only controller/);
  await refused(['maintenance', '0', '--for', '10m'], /0/);
  await env.home.ok('enable-ha');
  await env.whole(3, SECONDS);
});

test('what nobody knows is refused with what there is', async () => {
  await refused(['replace', '9'], /There is no machine 9.*The controllers are 0, 1, 2/s);
  await refused(['switchover', '--to', '9'], /There is no machine 9/);
  await refused(['switchover', '--to', await primary()], /is primary already/);
  await refused(['maintenance', '9', '--for', '10m'], /9/);
  await refused(['maintenance', '1', '--for', 'soon'], /soon/);
});

test('a new controller votes before the old one leaves; the old one cannot be replaced twice', async () => {
  const [machine = ''] = secondaries(await env.status());
  expect(await env.home.ok('replace', machine, '--plan')).toMatch(/Nothing is done/);
  const stdout = await env.home.ok('replace', machine);
  expect(stdout).toContain(`removing machines: ${machine}`);
  const status = await env.whole(3, SECONDS);
  expect(status.controllers.map((one) => one.machine)).not.toContain(machine);
  const [change] = (await env.client.request<Changes>('GET', '/v1/changes')).body.changes;
  const texts = change?.steps.map(({ text }) => text) ?? [];
  const at = (words: string) => texts.findIndex((text) => text.includes(words));
  expect(at('grant a vote to machine 3')).toBeGreaterThanOrEqual(0);
  expect(at(`withdraw the vote of machine ${machine}`)).toBeGreaterThan(at('grant a vote to machine 3'));
  await refused(['replace', machine], /There is no machine|on its way out|is no controller/);
});

test('a priority that was changed by hand is made the same as the others’ by the same command', async () => {
  const status = await env.whole(3, SECONDS);
  const [machine = ''] = secondaries(status);
  await setPriority(env.store, status, machine, 0.5);
  await env.home.ok('enable-ha');
  const change = await onMembership(env.store, 'demo', async (handle) => {
    await record('enableHa-evened', handle);
    return await progressOf(handle);
  });
  expect(change?.steps.map(({ text }) => text)).toContain(`give machine ${machine} the same priority as the others`);
});

test('switchover makes the one that is named primary, and without a name another one', async () => {
  const [heir = ''] = secondaries(await env.status());
  await env.home.ok('switchover', '--to', heir);
  expect(await primary()).toBe(heir);
  await env.home.ok('switchover');
  expect(await primary()).not.toBe(heir);
});

test('one that is frozen is no heir', async () => {
  const [frozen = ''] = secondaries(await env.status());
  const instance = await env.instanceOf(frozen);
  await env.home.ok('config', 'grace=120s');
  await env.cloud.pause(instance);
  await env.statusWhen(
    'the frozen one to be missed',
    ({ controllers }) => controllers.find(({ machine }) => machine === frozen)?.agent === 'down',
  );
  await refused(['switchover', '--to', frozen], /does not answer|is not heard/);
  await env.cloud.resume(instance);
  await env.whole(3, SECONDS);
});

test('one that lags is no heir', async () => {
  const [lagging = ''] = secondaries(await env.whole(3, SECONDS));
  const { controllers, environment } = await env.status();
  const controller = controllers.find(({ machine }) => machine === lagging);
  if (controller === undefined) throw new Error(`machine ${lagging} is no controller`);
  const member = await memberClient(env.store, environment.uuid, controller);
  try {
    // It goes on answering, and applies nothing.
    await adminCommand(member, { fsync: 1, lock: true });
    await env.statusWhen(
      'it to lag',
      ({ controllers }) => (controllers.find(({ machine }) => machine === lagging)?.member?.lagSeconds ?? 0) > 1,
    );
    await refused(['switchover', '--to', lagging], /lags behind the primary/);
    await adminCommand(member, { fsyncUnlock: 1 });
  } finally {
    await member.close();
  }
  await env.home.ok('switchover', '--to', lagging);
  expect(await primary()).toBe(lagging);
});

test('a primary that is put under maintenance hands over; it may be away and is not replaced', async () => {
  const machine = await primary();
  await env.home.ok('maintenance', machine, '--for', '10m');
  expect(await primary()).not.toBe(machine);
  const { ha } = await env.status();
  expect(ha.problems.join('\n')).toMatch(new RegExp(`Machine ${machine} is under maintenance`));
  await refused(['switchover', '--to', machine], /under maintenance/);
  const [other = ''] = secondaries(await env.status()).filter((one) => one !== machine);
  await refused(['maintenance', other, '--for', '10m'], /majority/);
  await env.home.ok('maintenance', machine, '--end');
  expect((await env.status()).ha.problems.join('\n')).not.toMatch(/maintenance/);
});

test('one that is away under maintenance is not replaced; maintenance ends by itself', async () => {
  const [machine = ''] = secondaries(await env.whole(3, SECONDS));
  const before = (await env.status()).controllers.map((one) => one.machine);
  const instance = await env.instanceOf(machine);
  await env.home.ok('maintenance', machine, '--for', '10m');
  // Without maintenance the local cloud's word "stopped" would have it replaced at once.
  await env.cloud.powerOff(instance);
  const away = await env.statusWhen(
    'the sentinel to see it away',
    ({ controllers }) => controllers.find((one) => one.machine === machine)?.evidence?.verdict === 'maintenance',
    SECONDS,
  );
  expect(away.change).toBeNull();
  expect(await env.home.ok('status')).toMatch(new RegExp(`${machine}: under maintenance for 10 min; end it with`));
  expect(await env.home.ok('show-controller', machine)).toMatch(/under maintenance for/);
  expect(await env.home.ok('machines')).toMatch(new RegExp(`${machine}: under maintenance for`));
  await env.cloud.startAgain(instance);
  await env.whole(3, SECONDS);
  await env.home.ok('maintenance', machine, '--for', '1s');
  const after = await env.statusWhen('its end', ({ ha }) => !/maintenance/.test(ha.problems.join('\n')));
  expect(after.controllers.map((one) => one.machine)).toEqual(before);
  await refused(['maintenance', machine, '--end'], /under no maintenance; nothing was changed/);
});

test('a member whose data is damaged is made anew in place: the same instance, a new member', async () => {
  await env.home.ok('config', 'resync-after=3s', 'auto-replace=false');
  const [machine = ''] = secondaries(await env.status());
  const instance = await env.instanceOf(machine);
  const data = await disk(machine);
  const member = async () => (await readdir(data)).filter((name) => /^mongod-\d+$/.test(name));
  const before = await member();
  const mongod = await env.pidOf(machine, 'mongod');
  for (const file of await readdir(join(data, before[0] ?? ''))) {
    if (/^WiredTiger(\.wt|\.turtle)?$/.test(file)) await truncate(join(data, before[0] ?? '', file), 0);
  }
  process.kill(mongod, 'SIGKILL');
  await env.statusWhen('the member to be missed', ({ ha }) => ha.healthyVoters === 2, SECONDS);
  await env.home.ok('enable-ha');
  await onMembership(env.store, 'demo', (change) => record('enableHa-resync', change));
  await env.whole(3, SECONDS);
  expect(await env.instanceOf(machine)).toBe(instance);
  expect(await member()).toHaveLength(1);
  expect(await member()).not.toEqual(before);
});

test('no acknowledged write is lost, and none was answered with an error', async () => {
  expect(await env.lost()).toEqual([]);
  expect(env.writer.errors).toEqual([]);
});
