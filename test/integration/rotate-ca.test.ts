import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Change, Changes } from '../../src/api/changes.js';
import type { Machines } from '../../src/api/machines.js';
import { engineConnection } from '../../src/engine/engine.js';
import { isIssuedBy } from '../../src/pki/trust.js';
import type { Credentials } from '../../src/store/store.js';
import { connectTemporal } from '../../src/temporal/connect.js';
import { environmentKey, workflowIds } from '../../src/temporal/names.js';
import { TestEnvironment } from '../support/environment.js';
import { record } from '../support/histories.js';
import { Home, until } from '../support/home.js';
import {
  clientWith,
  diskOf,
  forgedLogin,
  type Held,
  heldBy,
  isTrusted,
  keysOn,
  stateBy,
  termBy,
} from '../support/rotation.js';

/** The CA of an environment with one controller and a workload machine is rotated. The tests build on each other. */
let env: TestEnvironment;
let disk = '';
let before: Held;
let own: Credentials;

beforeAll(async () => {
  env = await TestEnvironment.bootstrap(1);
  disk = await diskOf(env, '0');
  await env.home.ok('add-machine');
  await started('1');
  before = await heldBy(disk);
  own = (await env.store.credentials('demo')) ?? expect.fail('no credentials');
}, 180_000);
afterAll(async () => {
  await env?.close();
}, 60_000);

const started = (id: string) => until(`machine ${id} is started`, async () => (await agentOf(id)) === 'started');
const history = async () => {
  const { environment } = await env.status();
  const temporal = await connectTemporal({ target: (await engineConnection(env.store.dirs)).connection });
  try {
    const id = workflowIds.membership(environmentKey(environment.name, environment.uuid));
    return (await record('rotateCa', temporal.client.workflow.getHandle(id))).history;
  } finally {
    await temporal.connection.close();
  }
};

test('it is rotated while a client writes: nothing is lost or refused, nobody is restarted, nothing old is let in', async () => {
  const status = await env.status();
  const { uuid } = status.environment;
  const [zero] = status.controllers;
  const mongo = zero?.mongo ?? '';
  const term = await termBy(disk, mongo);
  const state = await stateBy(disk, status);
  await state.machines.updateOne({ _id: '1' }, { $set: { knewKeys: true }, $inc: { version: 1 } });
  await state.close();
  await env.statusWhen('the key that is known is told', ({ ha }) => ha.problems.join().includes('quorate rotate-ca'));
  env.writer.lap();

  const said = await env.home.ok('rotate-ca');
  expect(said).toContain('The CA and the boot key are new; nothing trusts those before.');

  const held = await heldBy(disk);
  expect(held.ca).not.toBe(before.ca);
  expect([held.caKey === before.caKey, held.bootKey === before.bootKey]).toEqual([false, false]);
  expect(await keysOn(disk)).toEqual(['boot.key', 'ca.key']);
  // The same processes, the same term.
  const after = (await env.status()).controllers[0];
  for (const service of ['mongod', 'api', 'worker'] as const) {
    expect(after?.services[service]?.pid, service).toBe(zero?.services[service]?.pid);
  }
  expect(await termBy(disk, mongo)).toBe(term);
  expect((await env.status()).ha.problems).toEqual([]);
  // Everything serves by the new one, and the workload machine's own is of it.
  expect([await isTrusted(mongo, held.ca), await isTrusted(mongo, before.ca)]).toEqual([true, false]);
  const agent = await readFile(path.join(await workloadDisk('1'), 'identity', 'agent.pem'), 'utf8');
  expect(isIssuedBy(agent, held.ca)).toBe(true);
  // What somebody kept is worth nothing, at the API and at the database.
  expect(await forgedLogin(held, uuid, mongo, held.ca)).toBe('let in');
  expect(await forgedLogin(before, uuid, mongo, held.ca)).toBe('refused');
  const old = clientWith(await env.status(), own);
  await expect(old.request('GET', '/v1/status')).rejects.toMatchObject({
    code: 'bad-login',
    todo: expect.stringContaining('recover-access'),
  });
  await old.close();
  // The store came along, and so did the client that writes.
  const now = await env.store.credentials('demo');
  expect(now?.ca).toBe(held.ca);
  expect(isIssuedBy(now?.certificate ?? '', held.ca)).toBe(true);
  await env.writesGoOn(10);
  expect([env.writer.unknown, env.writer.errors]).toEqual([0, []]);
  expect(env.writer.lap().longestWait).toBeLessThan(3);
});

test('its story is told, and no key is in it or in Temporal', async () => {
  const { changes } = (await env.client.request<Changes>('GET', '/v1/changes')).body;
  const change = changes.find(({ kind }) => kind === 'rotate-ca') as Change;
  expect(change.state).toBe('done');
  expect(change.steps.map(({ text }) => text)).toEqual(
    expect.arrayContaining([
      'make the next CA and boot key, and trust it beside the present one',
      'issue by the next CA',
      'drop the CA before',
    ]),
  );
  const [events, held] = [JSON.stringify(await history()), await heldBy(disk)];
  for (const { caKey, bootKey } of [before, held]) {
    for (const secret of [bootKey, caKey.split('\n')[1] ?? '']) {
      expect(secret.length).toBeGreaterThan(20);
      expect(events.includes(secret)).toBe(false);
      expect(JSON.stringify(changes).includes(secret)).toBe(false);
    }
  }
  expect(events.includes('PRIVATE KEY')).toBe(false);
});

test('a machine that is added later boots, one that was away is named, and left behind when that is asked for', async () => {
  await env.home.ok('add-machine');
  await started('2');
  expect(await env.home.ok('exec', '--machine', '2', '--', 'echo', 'here')).toContain('here');
  const instance = await instanceOf('1');
  await env.home.ok('cloud', 'pause', '1');
  await until('machine 1 is down', async () => (await agentOf('1')) === 'down');

  const blocked = await env.home.run('rotate-ca', '--overlap', '5s', '--wait', '10s');
  expect(blocked.code).toBe(1);
  expect(blocked.stderr).toMatch(/Machine 1 does not get a certificate by the next CA: 1 is silent for \d+ s/);
  expect(blocked.stderr).toContain('quorate rotate-ca --force');
  await env.statusWhen('it rests half-way', ({ ha }) => ha.problems.join().includes('rests half-way'));

  expect(await env.home.ok('rotate-ca', '--overlap', '5s', '--force')).toContain(
    'Machine 1 was left behind and is not let in any more.',
  );
  await env.home.ok('cloud', 'resume', '1');
  const console = path.join(env.store.dirs.localCloud, (await env.status()).environment.uuid, instance, 'console.log');
  // What it heard before it was dropped is chance: with the CA between, its certificate is refused; without, nobody vouches.
  await until('it says why it is not let in', async () =>
    /of a CA that this environment does not trust \(any more\)|is refused: the CA of demo has the fingerprint/.test(
      await readFile(console, 'utf8'),
    ),
  );
  const { ha } = await env.statusWhen('it is a problem', ({ ha }) => ha.problems.join().includes('left behind'));
  expect(ha.problems.join()).toContain('quorate remove-machine 1 --force');
  await env.home.ok('remove-machine', '1', '--force');
  await env.statusWhen('it is none any more', ({ ha }) => !ha.problems.join().includes('left behind'));
  expect(await env.home.ok('exec', '--machine', '2', '--', 'echo', 'still')).toContain('still');
});

test('a store that slept through it knows the environment again; its certificate is refused, with what to do', async () => {
  const { name } = (await env.status()).environment;
  const record = (await env.store.readEnvironment(name)) ?? expect.fail('no record');
  const { authorityVersion: _, ...asleep } = record;
  const home = new Home();
  try {
    const { openStore } = await import('../../src/store/store.js');
    const store = await openStore(home.env);
    // Two rotations ago nobody vouches for this environment any more; one rotation ago somebody does.
    await store.writeEnvironment(asleep);
    await store.writeCredentials(name, own);
    const strange = await home.run('status', '-e', name);
    expect([strange.code, strange.stderr]).toEqual([1, expect.stringContaining('--ca-fingerprint')]);

    const present = (await env.store.credentials(name)) ?? expect.fail('no credentials');
    await store.writeCredentials(name, present);
    expect((await home.run('status', '-e', name)).code).toBe(0);
    await env.home.ok('rotate-ca', '--overlap', '5s');
    const refused = await home.run('status', '-e', name);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('quorate cloud recover-access')]);

    const file = path.join(home.dir, 'access.json');
    await env.home.ok('cloud', 'recover-access', '0', '--out', file);
    await home.ok('login', '--certificate', file);
    expect((await home.run('status', '-e', name)).code).toBe(0);
  } finally {
    await home.close();
  }
  expect(await env.lost()).toEqual([]);
});

async function machineOf(machine: string) {
  const { machines } = (await env.client.request<Machines>('GET', '/v1/machines')).body;
  return machines.find(({ id }) => id === machine);
}

async function agentOf(machine: string) {
  return (await machineOf(machine))?.agent;
}

async function instanceOf(machine: string): Promise<string> {
  return (await machineOf(machine))?.instance ?? expect.fail(`no machine ${machine}`);
}

async function workloadDisk(machine: string): Promise<string> {
  const { environment } = await env.status();
  return path.join(env.store.dirs.localCloud, environment.uuid, await instanceOf(machine), 'disk');
}
