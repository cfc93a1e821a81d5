import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Authority } from '../../src/api/access.js';
import type { Machines } from '../../src/api/machines.js';
import type { Status } from '../../src/api/status.js';
import { isIssuedBy } from '../../src/pki/trust.js';
import { secondaryOf, TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';
import { clientWith, diskOf, forgedLogin, type Held, heldBy, isTrusted, keysOn, termBy } from '../support/rotation.js';

/** The CA of three controllers and a workload machine is rotated while a client writes, processes die and machines boot. */
let env: TestEnvironment;
const SECONDS = 180;

beforeAll(async () => {
  env = await TestEnvironment.bootstrap(3);
  await env.whole(3, SECONDS);
  await env.home.ok('add-machine');
  await started('3');
}, 300_000);
afterAll(() => env?.close(), 120_000);

const started = (id: string) =>
  until(
    `machine ${id} is started`,
    async () =>
      (await env.client.request<Machines>('GET', '/v1/machines')).body.machines.some(
        (machine) => machine.id === id && machine.agent === 'started',
      ),
    SECONDS,
  );
const version = async () => (await env.client.request<Authority>('GET', '/v1/authority')).body.version;
const versionIs = (wanted: number) =>
  until(`version ${wanted} of what is trusted`, async () => (await version()) >= wanted, SECONDS);
const disks = async ({ controllers }: Status) =>
  await Promise.all(controllers.map(({ machine }) => diskOf(env, machine)));

/** Every controller holds the same keys, all of them others than before, and serves by them alone. */
async function allServeByNew(status: Status, before: Held): Promise<Held> {
  const { uuid } = status.environment;
  const held = await Promise.all((await disks(status)).map(heldBy));
  const [first] = held as [Held];
  for (const each of held) expect(each).toEqual(first);
  for (const disk of await disks(status)) expect(await keysOn(disk)).toEqual(['boot.key', 'ca.key']);
  expect([first.caKey, first.bootKey]).not.toEqual([before.caKey, before.bootKey]);
  for (const { mongo } of status.controllers) {
    expect([await isTrusted(mongo, first.ca), await isTrusted(mongo, before.ca)], mongo).toEqual([true, false]);
    expect(await forgedLogin(first, uuid, mongo, first.ca), mongo).toBe('let in');
    expect(await forgedLogin(before, uuid, mongo, first.ca), mongo).toBe('refused');
  }
  return first;
}

test('nothing is lost or refused and no primary changes, though workers and an agent die and a machine boots meanwhile', async () => {
  const status = await env.whole(3, SECONDS);
  const { primary } = status.ha;
  const [zero = ''] = await disks(status);
  const before = await heldBy(zero);
  const own = (await env.store.credentials('demo')) ?? expect.fail('no credentials');
  const mongo = status.controllers.find(({ machine }) => machine === primary)?.mongo ?? '';
  const term = await termBy(zero, mongo);
  env.writer.lap();

  const { done } = env.home.start('rotate-ca', '--overlap', '15s');
  await versionIs(1);
  for (const machine of [primary ?? '', secondaryOf(status)])
    process.kill(await env.pidOf(machine, 'worker'), 'SIGKILL');
  await env.killEngineWorker();
  // Nobody else starts instances on this cloud.
  await env.home.ok('engine', 'start');
  await versionIs(2);
  // A machine that boots in the middle, and a controller that has to find out anew where it was.
  await env.home.ok('add-machine');
  const died = await env.instanceOf(secondaryOf(status));
  const agents = env.home.processes().filter(({ command }) => command.includes('quorated.js'));
  const { environment } = status;
  const ofDied = await Promise.all(
    agents.map(async ({ pid }) => {
      const variables = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return variables.includes(path.join(environment.uuid, died)) ? pid : null;
    }),
  );
  const [agent] = ofDied.filter((pid) => pid !== null);
  process.kill(agent ?? expect.fail('no agent'), 'SIGKILL');
  await started('4');

  const { code, stdout, stderr } = await done;
  expect([code, stdout, stderr]).toEqual([
    0,
    expect.stringContaining('nothing trusts those before'),
    expect.anything(),
  ]);
  const after = await env.whole(3, SECONDS);
  const held = await allServeByNew(after, before);
  expect([after.ha.primary, await termBy(zero, mongo)]).toEqual([primary, term]);
  for (const id of ['3', '4']) {
    const { machines } = (await env.client.request<Machines>('GET', '/v1/machines')).body;
    const { instance = '' } = machines.find((machine) => machine.id === id) ?? {};
    const disk = path.join(env.store.dirs.localCloud, environment.uuid, instance, 'disk');
    expect(isIssuedBy(await readFile(path.join(disk, 'identity', 'agent.pem'), 'utf8'), held.ca), id).toBe(true);
    expect(await env.home.ok('exec', '--machine', id, '--', 'echo', 'here')).toContain('here');
  }
  for (const { api } of after.controllers) {
    const old = clientWith({ ...after, controllers: after.controllers.filter((each) => each.api === api) }, own);
    await expect(old.request('GET', '/v1/status')).rejects.toMatchObject({ code: 'bad-login' });
    await old.close();
  }
  await env.writesGoOn();
  expect([env.writer.unknown, env.writer.errors]).toEqual([0, []]);
  expect(env.writer.lap().longestWait).toBeLessThan(5);
  expect((await env.status()).ha.problems).toEqual([]);
});

test('a controller that is lost meanwhile is replaced first; typed again it goes on, with the new one', async () => {
  const status = await env.whole(3, SECONDS);
  const before = await heldBy((await disks(status))[0] ?? '');
  const lost = secondaryOf(status);
  const { done } = env.home.start('rotate-ca', '--overlap', '60s');
  const first = await version();
  await versionIs(first + 2);
  await env.home.ok('cloud', 'terminate', lost);
  const { code, stderr } = await done;
  expect([code, stderr]).toEqual([1, expect.stringMatching(new RegExp(`Machine ${lost}, a controller, is silent`))]);
  await env.statusWhen(
    'it rests, until it is gone on with',
    ({ ha }) => ha.problems.join().includes('rests half-way'),
    SECONDS,
  );
  await env.statusWhen(
    'another controller',
    ({ ha, controllers }) =>
      ha.healthyVoters === 3 && controllers.length === 3 && controllers.every(({ machine }) => machine !== lost),
    SECONDS,
  );
  await until('no change to be in its way', async () => (await env.status()).change === null, SECONDS);
  expect(await env.home.ok('rotate-ca', '--detach')).toContain('a new CA and boot key');
  await env.statusWhen(
    'its end',
    ({ change, ha }) => change === null && !ha.problems.join().includes('rests'),
    SECONDS,
  );
  const held = await allServeByNew(await env.whole(3), before);
  // The next command takes it over.
  await env.home.ok('status');
  expect((await env.store.credentials('demo'))?.ca).toBe(held.ca);
});

test('nothing that was acknowledged is lost', async () => {
  expect(await env.lost()).toEqual([]);
  expect([env.writer.unknown, env.writer.errors]).toEqual([0, []]);
});
