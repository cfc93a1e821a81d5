import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type SecureVersion } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Ping } from '../../src/api/access.js';
import type { UserData } from '../../src/boot/user-data.js';
import type { TemporalConnection } from '../../src/boot/wire.js';
import { ApiClient } from '../../src/client/client.js';
import { bootCall, enrolOperator, type OperatorCredentials } from '../../src/client/enrol.js';
import { issueWithKey } from '../../src/pki/authority.js';
import { fingerprint, isDue, splitPem, subjectOf } from '../../src/pki/certificate.js';
import { addControllers, dropJobs, markDead, recordInstance } from '../../src/state/machines.js';
import { openState, type State } from '../../src/state/state.js';
import { Home, until } from '../support/home.js';
import { kill } from '../support/kill.js';
import { bootstrapUntilSeeded, enrolWhenUp, newUserData, TestMachine } from '../support/machine.js';
import { TemporalFront } from '../support/temporal-front.js';

/**
 * One environment on real parts, from machine 0's user data on. The tests build on each other: they are the life of two
 * machines.
 */
const home = new Home();
const network = `127.${30 + Math.floor(Math.random() * 60)}.${Math.floor(Math.random() * 250)}`;
const zero = new TestMachine(home.dir, newUserData(), `${network}.1`);
const environment = zero.userData.environment;
let one: TestMachine;
let front: TemporalFront;
let operator: OperatorCredentials;

const clientOf = (machine: TestMachine) =>
  new ApiClient({ environment, addresses: [`${machine.address}:17070`], tls: operator });
const ping = async (machine: TestMachine) => {
  const client = clientOf(machine);
  try {
    return (await client.request<Ping>('GET', '/v1/ping', { timeoutMs: 1000 })).body.machine;
  } catch {
    return null;
  } finally {
    await client.close();
  }
};
async function serves(machine: TestMachine): Promise<void> {
  const { machine: id } = machine.userData;
  try {
    await until(`machine ${id} serves`, async () => (await ping(machine)) === id);
  } catch (error) {
    throw new Error(`its console ends with:\n${machine.console.split('\n').slice(-30).join('\n')}`, { cause: error });
  }
}

async function withState<T>(work: (state: State) => Promise<T>): Promise<T> {
  const tls = { ca: operator.ca, ...splitPem(zero.file('disk', 'controller', 'state.pem')) };
  const state = await openState({ hosts: [`${zero.address}:37017`], tls });
  try {
    return await work(state);
  } finally {
    await state.close();
  }
}

async function fenceOf(state: State) {
  const { epoch, version } = (await state.environment.findOne()) ?? { epoch: 0, version: 0 };
  return { epoch, environmentVersion: version };
}

const reportOf = (machine: string) =>
  withState(async (state) => (await state.presence.findOne({ _id: machine }))?.report ?? null);

beforeAll(async () => {
  // Only the machine's look at Temporal is answered there: no worker can work.
  front = await TemporalFront.start('127.0.0.1:9', { mutual: false });
  front.refuses = () => ({ code: 0, message: '' });
  zero.start();
});
afterAll(async () => {
  await home.close();
  await front?.stop();
});

test('a wrong token is refused, and nobody says which part was wrong', async () => {
  await expect(enrolWhenUp(zero, 'ab'.repeat(32))).rejects.toMatchObject({
    code: 'proof-failed',
    message: 'The other side did not prove that it knows the boot token.',
  });
  const target = { ...zero.target, user: 'tester', token: zero.userData.token };
  await expect(enrolOperator({ ...target, machine: '1' })).rejects.toMatchObject({ code: 'proof-failed' });
  await expect(enrolOperator({ ...target, machine: '0', environment: 'other' })).rejects.toMatchObject({
    code: 'proof-failed',
  });
});

test('the right token gets the operator a certificate, and is void and shredded once that is used', async () => {
  operator = await enrolWhenUp(zero);
  const again = await enrolWhenUp(zero); // The first answer might have been lost.
  expect(again.ca).toBe(operator.ca);
  await bootCall(zero.target, operator, '/boot/progress');
  await expect(enrolWhenUp(zero)).rejects.toMatchObject({ code: 'proof-failed' });
  expect(zero.file('user-data.json')).not.toContain(zero.userData.token);
  expect(JSON.parse(zero.file('user-data.json'))).toMatchObject({ token: '', nonce: zero.userData.nonce });
});

test('a Temporal that the machine cannot use is refused in words, and nothing of it is kept', async () => {
  const hand = (temporal: TemporalConnection) => bootCall(zero.target, operator, '/boot/temporal', temporal);
  const unknown = { address: front.address, namespace: 'default', tls: true };
  await expect(hand(unknown)).rejects.toMatchObject({
    code: 'temporal-not-reached',
    message: expect.stringMatching(/^Machine 0 \(127\..*\) cannot use Temporal: .*CA that is not trusted here/),
    todo: expect.stringMatching(/^Let the machine through to that address/),
  });
  front.refuses = () => ({ code: 16, message: 'key expired' });
  await expect(hand({ ...unknown, tls: { ca: front.ca }, apiKey: 'old' })).rejects.toMatchObject({
    code: 'temporal-not-reached',
    message: expect.stringMatching(/refuses this client in its namespace "default": key expired/),
  });
  expect(await bootCall(zero.target, operator, '/boot/progress')).toMatchObject({ temporal: false });
  front.refuses = () => ({ code: 0, message: '' });
});

test('the steps of bootstrap may be repeated, and survive the death of the agent and its mongod', async () => {
  await expect(bootCall(zero.target, operator, '/boot/serve')).rejects.toMatchObject({ code: 'not-ready' });
  const temporal = { address: front.address, namespace: 'default', tls: { ca: front.ca } };
  await bootstrapUntilSeeded(zero, operator, temporal);
  await bootstrapUntilSeeded(zero, operator, temporal);
  const [agent] = zero.pids('agent');
  for (const pid of [...zero.pids('mongod'), agent]) kill(pid);
  await until('the agent listens again', () => bootCall(zero.target, operator, '/boot/progress').catch(() => null), 20);
  expect(zero.pids('agent')).not.toEqual([agent]);
});

test('after serve, which needs no step done again, the API answers, and a call that is repeated finds all done', async () => {
  await bootCall(zero.target, operator, '/boot/serve');
  await serves(zero);
  expect(await bootCall(zero.target, operator, '/boot/serve')).toMatchObject({ serving: true });
  const report = await until('the agent reports', async () => {
    const seen = await reportOf('0');
    return seen?.services.api?.state === 'running' && seen.addressVersion === 1 ? seen : null;
  });
  expect(report).toMatchObject({ status: 'started', services: { mongod: { state: 'running' } } });
  expect(report.mongod?.parameters).toMatchObject({ oplogRetriedFindMaxSeconds: 'set' });
});

test('what dies is started again: mongod, then the API server', async () => {
  for (const service of ['mongod', 'api'] as const) {
    const [before] = zero.pids(service);
    kill(before);
    await until(`${service} started again`, async () => {
      const pids = zero.pids(service);
      return pids.length === 1 && pids[0] !== before;
    });
    await serves(zero);
  }
});

test('a changed suspect-after is kept and followed without a restart of anything', async () => {
  const kept = () => JSON.parse(zero.file('disk', 'agent.conf')).settings?.suspectAfterMs;
  const before = ['mongod', 'api'].map((service) => zero.pids(service as 'api'));
  await until('the default', async () => kept() === 500);
  const client = clientOf(zero);
  const path = '/v1/settings/suspect-after';
  await client.request('PUT', path, { body: { value: '900ms', version: 0 }, idempotencyKey: 'suspect' });
  await client.close();
  await until('the new one', async () => kept() === 900);
  expect(['mongod', 'api'].map((service) => zero.pids(service as 'api'))).toEqual(before);
});

test('certificates near their end are replaced while everything runs, and nothing is restarted', async () => {
  const disk = (...names: string[]) => join(zero.directory, 'disk', ...names);
  const certificates = [
    ['identity', 'agent.pem'],
    ['controller', 'member.pem'],
    ['controller', 'state.pem'],
    ['controller', 'membership.pem'],
  ];
  const authority = { certificate: operator.ca, key: zero.file('disk', 'controller', 'ca.key') };
  for (const names of certificates) {
    const subject = subjectOf(zero.file('disk', ...names));
    const { certificate, key } = await issueWithKey(authority, { subject, addresses: [zero.address], days: 10 / 1440 });
    writeFileSync(disk(...names), certificate + key);
  }
  const pids = () => (['mongod', 'api', 'worker'] as const).map((service) => zero.pids(service));
  const before = pids();
  kill(zero.pids('agent')[0], 'SIGHUP');
  const isShown = async (port: number, names: string[]) =>
    (await shownAt(zero.address, port)) === fingerprint(zero.file('disk', ...names));
  await until('its API server shows the next one', async () => isShown(17070, ['identity', 'agent.pem']));
  await expect(shownAt(zero.address, 17070, 'TLSv1.2'), 'as strict as before').rejects.toMatchObject({
    code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  });
  await until('its mongod shows the next one', async () => isShown(37017, ['controller', 'member.pem']));
  for (const names of certificates) expect(isDue(zero.file('disk', ...names)), names.join('/')).toBe(false);
  await serves(zero);
  expect(pids()).toEqual(before);
  await until('it says so', async () => zero.console.includes('have been renewed'));
  const report = await until('the agent reports', () => reportOf('0'));
  expect(report).toMatchObject({ services: { mongod: { state: 'running' } } });
});

test('a second machine enrols with its token, gets its jobs and becomes a controller', async () => {
  const added = await withState(async (state) => {
    const [machine] = await addControllers(state, await fenceOf(state), { count: 1, zones: ['a'] });
    return machine ?? expect.fail('no machine was added');
  });
  const client = clientOf(zero);
  const { body: userData } = await client.request<UserData>('GET', `/v1/machines/${added._id}/user-data`);
  one = new TestMachine(home.dir, userData, `${network}.2`);
  one.start();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  // Nobody has told the controllers yet which address the cloud gave it.
  expect(existsSync(join(one.directory, 'disk', 'agent.conf'))).toBe(false);
  await withState(async (state) => {
    const instance = { id: one.instance, address: one.address, ports: one.ports, state: 'running' };
    await recordInstance(state, await fenceOf(state), { id: added._id, nonce: added.nonce }, instance);
  });
  await serves(one);
  await until('its mongod runs', async () => {
    const seen = await reportOf(added._id);
    return seen?.services.mongod?.state === 'running' && seen.addressVersion === 1 && seen.sees.includes('0');
  });
  await client.close();
  expect(one.file('user-data.json')).not.toContain(userData.token);
  expect(readdirSync(join(one.directory, 'disk'))).toContain(`mongod-${added.memberId}`);
});

test('a machine that stops being a controller stops its services, shreds the keys and removes its data', async () => {
  await withState(async (state) => dropJobs(state, await fenceOf(state), ['1']));
  await until('its services stopped', async () =>
    ['mongod', 'api', 'worker'].every((s) => !one.pids(s as 'api').length),
  );
  await until('keys and data gone', async () => {
    const disk = join(one.directory, 'disk');
    return (
      readdirSync(join(disk, 'controller')).length === 0 && !readdirSync(disk).some((n) => n.startsWith('mongod-'))
    );
  });
  expect(one.pids('agent')).toHaveLength(1);
});

test('a machine that is gone ends by itself, and stays off', async () => {
  await withState(async (state) => markDead(state, await fenceOf(state), ['1']));
  await until('its start script has left', async () => !one.running, 20);
  expect(one.console).toContain('Machine 1 is no part of test any more.');
});

test('a power cut of everything: services start from agent.conf, with nobody to ask', async () => {
  await zero.powerCut();
  zero.start();
  await serves(zero);
});

test('a damaged agent.conf is healed from the one before', async () => {
  await zero.powerCut();
  writeFileSync(join(zero.directory, 'disk', 'agent.conf'), '{"quorate": 1, "envi');
  zero.start();
  await serves(zero);
  expect(zero.console).toContain('is damaged');
  expect(zero.console).toContain('It was restored from');
});

test('an ordered shutdown leaves nobody behind', async () => {
  await zero.shutdown();
  for (const what of ['agent', 'mongod', 'api', 'worker'] as const) expect(zero.pids(what)).toEqual([]);
});

/** Fingerprint of the certificate that a new connection is shown. */
function shownAt(host: string, port: number, maxVersion: SecureVersion = 'TLSv1.3'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, maxVersion, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
