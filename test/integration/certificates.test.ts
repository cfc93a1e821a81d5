import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renewOwn } from '../../src/agent/renewal.js';
import { openClient } from '../../src/client/open.js';
import { type Authority, createAuthority, createKeyAndRequest, issueWithKey } from '../../src/pki/authority.js';
import { isDue, type Subject, servesApi, splitPem, subjectOf } from '../../src/pki/certificate.js';
import { exchange, type Identity, login } from '../../src/pki/identity.js';
import { adminCommand, directClient } from '../../src/replicaset/connect.js';
import { rotateCertificates } from '../../src/replicaset/rotate.js';
import { addControllers } from '../../src/state/machines.js';
import { openState } from '../../src/state/state.js';
import { openStore } from '../../src/store/store.js';
import { call } from '../support/calls.js';
import { TestControllers } from '../support/controllers.js';
import type { TestMember, TestMembers } from '../support/members.js';

/** Certificates that last minutes or seconds, and what comes in their place, on real mongods and a real API server. */
const TEN_MINUTES = 10 / 1440;
let set: TestMembers;
let controllers: TestControllers;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'quorate-certificates-'));
  controllers = await TestControllers.serving(2);
  ({ set } = controllers);
});

afterAll(async () => {
  await controllers?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const issued = (cn: string, ou: Subject['ou'], days: number, addresses: string[] = []) =>
  issueWithKey(set.authority, { subject: { cn, ou, o: set.environment }, addresses, days });

test('an agent gets the next certificate in its own name before the present one ends, and not sooner', async () => {
  const file = path.join(directory, 'agent.pem');
  const present = await issued('machine-0', 'agent', TEN_MINUTES);
  await writeFile(file, present.certificate + present.key);
  const client = controllers.client(['0'], { tls: { ca: controllers.ca, ...present } });
  expect(await renewOwn(file, client)).toBe(true);
  const next = splitPem(await readFile(file, 'utf8'));
  expect(subjectOf(next.certificate)).toEqual(subjectOf(present.certificate));
  expect(new X509Certificate(next.certificate).checkIP(set.hosts[0]?.split(':')[0] ?? '')).toBeDefined();
  expect([isDue(next.certificate), servesApi(next.certificate, set.environment)]).toEqual([false, true]);
  expect(next.key).not.toBe(present.key);
  client.useCertificate(next);
  expect(await renewOwn(file, client)).toBe(false);
});

test('nobody gets one in another name, by a token, for a service, or for a machine that is not there', async () => {
  const { request } = await createKeyAndRequest();
  const target = { address: controllers.address('0'), environment: set.environment };
  const ask = async (tls: object, token?: string) => {
    const options = { ...target, tls: { ca: controllers.ca, ...tls }, ...(token === undefined ? {} : { token }) };
    return await call(options, 'POST', '/v1/renew', { body: { request } });
  };
  const body = { user: 'bob', role: 'admin', days: 1 };
  const { body: made } = await call({ ...target, tls: controllers.operator }, 'POST', '/v1/tokens', { body, key: 'k' });
  expect(await ask({}, String(made.token))).toMatchObject({ status: 403, body: { code: 'not-allowed' } });
  expect((await ask(await issued('machine-9', 'agent', 1))).status).toBe(404);
  expect(await ask(await issued('state', 'service', 1))).toMatchObject({ status: 403, body: { code: 'not-allowed' } });
  expect((await ask(await issued('membership', 'service', 1))).status).toBe(401);
  const subject = { cn: 'ana', ou: 'operator', o: set.environment } as const;
  expect((await ask(await issueWithKey(await createAuthority(set.environment), { subject }))).status).toBe(401);
  // Who serves no API gets no name of a server.
  const { epoch, version } = (await controllers.state.environment.findOne({})) ?? { epoch: 0, version: 0 };
  await addControllers(controllers.state, { epoch, environmentVersion: version }, { count: 1, zones: ['b'] });
  await controllers.state.machines.updateOne({ _id: '1' }, { $set: { jobs: ['host-units'] }, $inc: { version: 1 } });
  const { body: workload } = await ask(await issued('machine-1', 'agent', 1));
  expect(servesApi(String(workload.certificate), set.environment)).toBe(false);
});

test("the operator's is renewed by whatever command comes next, and kept in the store", async () => {
  const store = await openStore({ QUORATE_HOME: path.join(directory, 'home') });
  const server = { machine: '0', api: controllers.address('0'), mongo: set.hosts[0] ?? '' };
  await store.writeEnvironment({
    name: 'demo',
    uuid: set.environment,
    cloud: 'local',
    region: '',
    addresses: { version: 1_000_000, servers: [server] },
    url: '',
    createdAt: new Date().toISOString(),
    temporal: { address: '127.0.0.1:7233', namespace: 'default' },
  });
  const present = await issued('ana', 'operator', TEN_MINUTES);
  await store.writeCredentials('demo', { ca: controllers.ca, ...present });
  const client = await openClient(store, 'demo');
  await client.request('GET', '/v1/status');
  await client.close();
  const next = await store.credentials('demo');
  expect(subjectOf(next?.certificate ?? '')).toEqual(subjectOf(present.certificate));
  expect(isDue(next?.certificate ?? '')).toBe(false);
  await (await openClient(store, 'demo')).close();
  expect(await store.credentials('demo')).toEqual(next);
});

test('a mongod takes the next certificate over while it runs, and lives on when the one before has ended', async () => {
  const [first, second] = set.members as [TestMember, TestMember];
  const [address] = second.host.split(':') as [string];
  const pid = second.process?.pid;
  const lasting = 5;
  const put = async (seconds: number) => {
    const { certificate, key } = await issued('machine-1', 'member', seconds / 86_400, [address]);
    await writeFile(path.join(second.directory, 'member.pem'), certificate + key, { mode: 0o600 });
    await rotateCertificates(second.host, second.identity);
    expect(await shownBy(second.host)).toBe(new X509Certificate(certificate).fingerprint256);
  };
  await put(lasting);
  const ends = performance.now() + lasting * 1000;
  await put(3600);
  await sleep(ends + 500 - performance.now());
  // Both members dial each other and are dialled anew; a write on both is one that got through.
  for (const member of [first, second]) {
    const client = member.client();
    await client.db('admin').command({ dropConnections: 1, hostAndPort: set.hosts });
    await client.close();
  }
  const written = await controllers.state.settings.updateOne(
    { _id: 'x-renewed' },
    { $set: { value: '1', version: 1, at: new Date(), by: 'ana', requests: [] } },
    { upsert: true, writeConcern: { w: 2, wtimeoutMS: 10_000 } },
  );
  expect(written.upsertedCount).toBe(1);
  expect(second.process?.pid).toBe(pid);
  expect(second.process?.exitCode).toBeNull();
});

test('a mongod comes to trust another CA, is certified by it and drops the one before, while everything goes on', async () => {
  const [first, second] = set.members as [TestMember, TestMember];
  const next = await createAuthority(set.environment);
  const both = set.authority.certificate + next.certificate;
  const pids = set.members.map((member) => member.process?.pid);
  const term = async () => {
    const client = directClient(first.host, membership);
    try {
      return ((await adminCommand(client, { replSetGetStatus: 1 })) as { term: number }).term;
    } finally {
      await client.close();
    }
  };
  const membership = { ...set.membership };
  const identity = { ...set.state };
  const state = await openState({ hosts: set.hosts, tls: identity });
  const loaded = new Map(set.members.map((member) => [member.host, member.identity]));
  const put = async (ca: string, by: Authority | null) => {
    for (const { host, directory, joiner } of set.members) {
      const before = loaded.get(host) as Identity;
      const subject = { cn: `machine-${joiner.machine}`, ou: 'member', o: set.environment } as const;
      const own = by === null ? before : await issueWithKey(by, { subject, addresses: [host.split(':')[0] as string] });
      await writeFile(path.join(directory, 'ca.crt'), ca);
      await writeFile(path.join(directory, 'member.pem'), own.certificate + own.key, { mode: 0o600 });
      await rotateCertificates(host, { ...before, ca: both });
      loaded.set(host, { ca: both, certificate: own.certificate, key: own.key });
    }
  };
  // Both are in the set's majority, and a connection that is made anew shows what it is by now.
  const goesOn = async (value: string) => {
    for (const { host } of set.members) {
      const client = directClient(host, loaded.get(host) as Identity);
      await adminCommand(client, { dropConnections: 1, hostAndPort: set.hosts });
      await client.close();
    }
    await state.settings.updateOne(
      { _id: 'x-rotated' },
      { $set: { value, version: 1, at: new Date(), by: 'ana', requests: [] } },
      { upsert: true, writeConcern: { w: 2, wtimeoutMS: 10_000 } },
    );
  };
  const certify = async (cn: string, target: Identity) => {
    const subject = { cn, ou: 'service', o: set.environment } as const;
    exchange(target, { ca: next.certificate, ...(await issueWithKey(next, { subject })) });
  };
  try {
    const before = await term();
    await put(both, null);
    await goesOn('both are trusted');
    exchange(identity, { ...identity, ca: both });
    await put(next.certificate + set.authority.certificate, next);
    await goesOn('the next one certifies');
    await certify('state', identity);
    await certify('membership', membership);
    await put(next.certificate, next);
    await goesOn('the one before is dropped');
    expect(await term()).toBe(before);
    expect(set.members.map((member) => member.process?.pid)).toEqual(pids);
    expect(second.process?.exitCode).toBeNull();
    // Whoever has only the CA before is refused, whatever its certificate says, and by its CA nobody is known.
    const old = directClient(first.host, { ...set.membership, ca: both }, { serverSelectionTimeoutMS: 1000 });
    await expect(adminCommand(old, { ping: 1 })).rejects.toThrow();
    await old.close(true);
    const connected = new MongoClient(`mongodb://${set.hosts.join(',')}/`, { ...login(identity), replicaSet: 'juju' });
    expect(
      await connected
        .db('quorate')
        .collection('settings')
        .countDocuments({ _id: 'x-rotated' } as object),
    ).toBe(1);
    await connected.close();
  } finally {
    await state.close();
  }
});

/** Fingerprint of the certificate that a new connection is shown. */
function shownBy(host: string): Promise<string> {
  const [address, port] = host.split(':') as [string, string];
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port: Number(port), ca: set.authority.certificate }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
