import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { UserData } from '../../src/boot/user-data.js';
import type { ApiClient } from '../../src/client/client.js';
import { openClient } from '../../src/client/open.js';
import { splitPem } from '../../src/pki/certificate.js';
import { openState } from '../../src/state/state.js';
import { openStore, type Store } from '../../src/store/store.js';
import { connectTemporal } from '../../src/temporal/connect.js';
import { Home, until } from '../support/home.js';
import { kill } from '../support/kill.js';
import { COMMANDS } from '../support/programs.js';
import { ownTemporal } from '../support/temporal.js';
import { filesUnder, textOf, textsIn } from '../support/texts.js';

/**
 * Everything secret that an environment has, searched for wherever it must not be, after a life with a change, another
 * machine, a user, a command and crashes. Of a key it is a line from the middle that is searched for.
 */
const home = new Home();
const canary = (what: string) => `c4n4ry-${what}-${randomBytes(12).toString('hex')}`;
const known = { temporal: canary('temporal'), password: canary('password') };
const secrets = new Map<string, string>();
let store: Store;
let client: ApiClient;
let temporalAddress: string;
/** Of machines 0 and 1. */
let instances: readonly string[];

const onDisk = (machine: 0 | 1, ...names: string[]) => path.join(instances[machine] ?? '', 'disk', ...names);
const middleOf = (key: string) => key.trim().split('\n')[1] ?? '';

beforeAll(async () => {
  temporalAddress = (await ownTemporal(home)).address;
  // As whoever runs a Temporal of their own gives its key.
  home.env.TEMPORAL_GRPC_META_AUTHORIZATION = `Bearer ${known.temporal}`;
  await home.ok('bootstrap', 'local', 'demo');
  await home.ok('add-machine');
  await until(
    'machine 1',
    async () => (await home.status()).machines.some(({ id, agent }) => id === '1' && agent === 'started'),
    60,
    200,
  );
  const file = path.join(home.dir, 'password');
  writeFileSync(file, `${known.password}\n`, { mode: 0o600 });
  await home.ok('add-user', 'bob', '--password-file', file);
  await home.ok('login', 'bob', '--password-file', file);
  await home.ok('status');
  await home.ok('logout');
  await home.ok('exec', '--all', '--', 'env');
  await home.ok('config', 'heartbeat-interval=600ms');

  store = await openStore(home.env);
  client = await openClient(store, 'demo');
  const { environment } = await home.status();
  const list = await home.json<{ id: string; tags: { machine: string } }[]>('cloud', 'list');
  const directory = (machine: string) =>
    path.join(store.dirs.localCloud, environment.uuid, list.find(({ tags }) => tags.machine === machine)?.id ?? '');
  instances = [directory('0'), directory('1')];
  await gather();
}, 180_000);

afterAll(async () => {
  client?.close();
  await home.close();
});

async function gather(): Promise<void> {
  const key = (file: string) => middleOf(splitPem(readFileSync(file, 'utf8')).key);
  for (const [what, secret] of Object.entries(known)) secrets.set(what, secret);
  secrets.set('boot key', readFileSync(onDisk(0, 'controller', 'boot.key'), 'utf8').trim());
  secrets.set('CA key', middleOf(readFileSync(onDisk(0, 'controller', 'ca.key'), 'utf8')));
  for (const name of ['member', 'state', 'membership']) secrets.set(name, key(onDisk(0, 'controller', `${name}.pem`)));
  for (const machine of [0, 1] as const) {
    secrets.set(`agent ${machine}`, key(onDisk(machine, 'identity', 'agent.pem')));
    const { body } = await client.request<UserData>('GET', `/v1/machines/${machine}/user-data`);
    secrets.set(`boot token ${machine}`, body.token);
  }
  secrets.set('operator', middleOf((await store.credentials('demo'))?.key ?? ''));
  const token = { body: { user: 'program', role: 'read', days: 1 }, idempotencyKey: randomUUID() };
  secrets.set('bearer token', (await client.request<{ token: string }>('POST', '/v1/tokens', token)).body.token);
}

/** The names of secrets that are in a text. */
const foundIn = (text: string) => [...secrets].filter(([, secret]) => text.includes(secret)).map(([what]) => what);

test('what is searched for is really secret, long, and where it belongs', () => {
  expect(secrets.size).toBe(13);
  for (const [what, secret] of secrets) expect(secret.length, what).toBeGreaterThan(30);
  expect(foundIn(textOf(onDisk(0, 'controller', 'boot.key')))).toEqual(['boot key']);
  expect(foundIn(textOf(onDisk(0, 'controller', 'temporal.json')))).toEqual(['temporal']);
});

test('in no history of a workflow', async () => {
  const { client: temporal, connection } = await connectTemporal({
    target: { address: temporalAddress, namespace: 'default' },
  });
  try {
    const types = new Set<string>();
    for await (const { workflowId, runId, type } of temporal.workflow.list()) {
      types.add(type);
      const history = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
      const text = [...textsIn(history)].join('\n');
      expect(text, type).toContain('demo');
      expect(foundIn(text), `${type}, ${workflowId}`).toEqual([]);
    }
    expect([...types]).toEqual(expect.arrayContaining(['bootstrap', 'provisioner', 'configure', 'cleaner']));
  } finally {
    await connection.close();
  }
});

test('in no arguments of a process, and in no environment of a machine’s', () => {
  const processes = home.processes();
  for (const [name, command] of Object.entries(COMMANDS)) {
    expect(
      processes.some((each) => command.test(each.command)),
      name,
    ).toBe(true);
  }
  for (const { pid, command } of processes) {
    expect(foundIn(command), command).toEqual([]);
    // These are the operator's own, and have what the operator's shell had.
    if (/engine-worker\.js|start-dev/.test(command)) continue;
    const environment = textOf(`/proc/${pid}/environ`);
    expect(foundIn(environment), `${command}: its environment`).toEqual([]);
  }
});

test('in no user data, once a machine has booted', () => {
  for (const directory of instances) {
    const text = textOf(path.join(directory, 'user-data.json'));
    expect(text).toContain('demo');
    expect(foundIn(text)).toEqual([]);
  }
});

test('in no document', async () => {
  const { controllers } = await home.status();
  const tls = splitPem(readFileSync(onDisk(0, 'controller', 'state.pem'), 'utf8'));
  const ca = readFileSync(onDisk(0, 'identity', 'ca.crt'), 'utf8');
  const state = await openState({ hosts: [controllers[0]?.mongo ?? ''], tls: { ca, ...tls } });
  try {
    const names = (await state.db.listCollections().toArray()).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['environment', 'users', 'credentials', 'operations', 'audit']));
    for (const name of names) {
      const documents = await state.db.collection(name).find().toArray();
      expect(foundIn([...textsIn(documents)].join('\n')), name).toEqual([]);
    }
  } finally {
    await state.close();
  }
});

test('in nothing that a process leaves that crashes', async () => {
  const { controllers } = await home.status();
  const services = controllers[0]?.services ?? {};
  for (const [service, signal] of [
    ['api', 'SIGABRT'],
    ['worker', 'SIGSEGV'],
    ['mongod', 'SIGABRT'],
  ] as const) {
    kill(services[service]?.pid, signal);
    await until(
      `${service} to run again`,
      async () => {
        const now = (await home.status()).controllers[0]?.services?.[service];
        return now?.state === 'running' && now.pid !== services[service]?.pid;
      },
      60,
      300,
    );
  }
  const logs = instances.flatMap((directory) => [
    path.join(directory, 'console.log'),
    ...filesUnder(path.join(directory, 'disk', 'log')),
  ]);
  expect(logs.map(textOf).join('')).toMatch(/ended with SIGABRT/);
  // mongod's word on its own end.
  expect(logs.map(textOf).join('')).toMatch(/Got signal: 6|"signal":6|Writing fatal message/);
  const said = [...logs, ...filesUnder(store.dirs.engine)];
  for (const file of said) expect(foundIn(textOf(file)), file).toEqual([]);
});

test('in no file but those that are for its owner alone', () => {
  for (const file of filesUnder(home.dir)) {
    const found = foundIn(textOf(file));
    const directories = file.slice(home.dir.length).split(path.sep);
    const kept = directories.some((name) => ['identity', 'controller', 'environments'].includes(name));
    if (!kept && file !== path.join(home.dir, 'password')) expect(found, file).toEqual([]);
  }
});
