import { spawn } from 'node:child_process';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditEntry, User, WhoAmI } from '../../src/api/users.js';
import { packageRoot } from '../../src/package.js';
import { openState } from '../../src/state/state.js';
import { Home, until } from '../support/home.js';

/** Users of a real environment with one controller, by the command line: on the operator's machine and on another one. */
let operator: Home;
let other: Home;
const CANARY = 'canary-of-the-users';
const SECRETS = [`${CANARY}-1`, `${CANARY}-2`, `${CANARY}-3`];

interface Added extends User {
  readonly password?: string;
  readonly address: string;
  readonly caFingerprint: string;
}

beforeAll(async () => {
  operator = new Home();
  other = new Home();
  await operator.ok('bootstrap', 'local', 'demo');
}, 120_000);

afterAll(async () => {
  await other?.close();
  await operator?.close();
});

/** A file that holds a password, as `--password-file` takes it. */
async function passwordFile(password: string): Promise<string> {
  const file = join(other.dir, `password-${SECRETS.indexOf(password)}`);
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return file;
}

/** A command whose standard input is a text; its arguments, as everybody on the machine could see them. */
async function withInput(home: Home, input: string, ...args: string[]) {
  const bin = join(packageRoot(), 'bin/quorate.js');
  const child = spawn(process.execPath, [bin, ...args], { env: home.env, stdio: ['pipe', 'pipe', 'pipe'] });
  const seen = (await readFile(`/proc/${child.pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  child.stdin.end(input);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output, seen };
}

const whoami = (home: Home) => home.json<WhoAmI>('whoami');

let added: Added;

test('the operator is an admin by certificate', async () => {
  expect(await whoami(operator)).toMatchObject({ role: 'admin', by: 'certificate', environment: { name: 'demo' } });
  expect((await operator.run('logout')).stdout).toBe('Nobody is logged in to demo here.\n');
  expect(await operator.ok('users')).toContain('No users yet');
});

test('a user is added with a password that is shown once, and with how to log in elsewhere', async () => {
  added = await operator.json<Added>('add-user', 'bob');
  expect(added).toMatchObject({ name: 'bob', role: 'read', createdBy: expect.any(String) });
  expect(added.password).toMatch(/^([a-z0-9]{5}-){3}[a-z0-9]{5}$/);
  expect(added.caFingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  const refused = await operator.run('add-user', 'bob');
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('There is a user bob already') });
  expect(await operator.run('add-user', 'eve', '--role', 'agent')).toMatchObject({ code: 2 });
});

test('another machine refuses another CA, and logs in by the fingerprint of this one', async () => {
  const wrong = await withInput(
    other,
    `${added.password}\n`,
    'login',
    'bob',
    added.address,
    '--ca-fingerprint',
    added.caFingerprint.replaceAll(/[0-9]/g, 'A'),
    '--password-file',
    '-',
  );
  expect(wrong).toMatchObject({ code: 1, output: expect.stringContaining('is refused: the CA there') });
  const login = ['login', 'bob', added.address, '--ca-fingerprint', added.caFingerprint, '--password-file', '-'];
  const bad = await withInput(other, 'not-the-password\n', ...login);
  expect(bad).toMatchObject({ code: 1, output: expect.stringContaining('do not open this environment') });
  expect(await readdir(join(other.dir, 'data', 'environments')).catch(() => [])).toEqual([]);

  const good = await withInput(other, `${added.password}\n`, ...login);
  expect(good, good.output).toMatchObject({
    code: 0,
    output: expect.stringContaining('bob (read) is logged in until'),
  });
  expect(good.seen).not.toContain(added.password);
  expect(await whoami(other)).toMatchObject({ user: 'bob', role: 'read', by: 'token' });
  const directory = join(other.dir, 'data', 'environments', 'demo');
  expect((await readdir(directory)).sort()).toEqual(['ca.crt', 'environment.json', 'session.json']);
  for (const name of await readdir(directory))
    expect((await stat(join(directory, name))).mode & 0o777, name).toBe(0o600);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
});

test('who may read sees everything and changes nothing, and is told what it takes', async () => {
  expect((await other.status()).environment.name).toBe('demo');
  expect(await other.ok('status')).toContain('demo');
  expect(await other.ok('show-controller')).toContain('0');
  const refused = await other.run('config', 'x-a=1');
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('It takes one of: write, admin.') });
  expect(await other.run('users')).toMatchObject({ code: 1 });
  expect(await other.run('grant', 'bob', 'admin')).toMatchObject({ code: 1 });
  const doctor = await other.run('doctor');
  expect(doctor.stderr + doctor.stdout).toContain('quorate login --certificate FILE');
});

test('grant ends the login, and the next one may more; revoke ends it for good', async () => {
  await operator.ok('grant', 'bob', 'write');
  const ended = await other.run('whoami');
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('Log in again: quorate login') });
  expect(await withInput(other, `${added.password}\n`, 'login', 'bob', '--password-file', '-')).toMatchObject({
    code: 0,
  });
  await other.ok('config', 'x-a=1');
  expect(await operator.ok('revoke', 'bob')).toContain('bob may do nothing in demo any more');
  expect(await other.run('config', 'x-a')).toMatchObject({ code: 1 });
  expect(await withInput(other, `${added.password}\n`, 'login', 'bob', '--password-file', '-')).toMatchObject({
    code: 1,
  });
  expect(await operator.ok('users')).toMatch(/bob +revoked/);
  await operator.ok('grant', 'bob', 'read');
});

test('a password is changed with the present one: other logins end, one’s own goes on', async () => {
  const [first, second] = SECRETS as [string, string];
  await operator.ok('change-password', 'bob', '--password-file', await passwordFile(first));
  for (const home of [operator, other]) {
    await home.ok('login', 'bob', '-e', 'demo', '--password-file', await passwordFile(first));
  }
  expect(await whoami(operator), 'a login goes before the certificate').toMatchObject({ user: 'bob', role: 'read' });
  const files = ['--password-file', await passwordFile(second), '--current-password-file'];
  expect(await other.run('change-password', ...files, await passwordFile(second))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The present password is another one'),
  });
  expect(await other.ok('change-password', ...files, await passwordFile(first))).toContain('Your password is changed');
  expect(await whoami(other)).toMatchObject({ user: 'bob' });
  expect(await operator.run('whoami')).toMatchObject({ code: 1 });
  expect(await operator.ok('logout')).toBe('bob is logged out of demo.\n');
  expect(await whoami(operator)).toMatchObject({ role: 'admin', by: 'certificate' });
});

test('an ended login says what to do, and is not sent', async () => {
  const file = join(other.dir, 'data', 'environments', 'demo', 'session.json');
  const session = await readFile(file, 'utf8');
  await writeFile(file, session.replace(/"expiresAt":"[^"]*"/, '"expiresAt":"2026-01-01T00:00:00.000Z"'));
  const ended = await other.run('status');
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('quorate login bob -e demo') });
  await writeFile(file, session);
  expect(await whoami(other)).toMatchObject({ user: 'bob' });
  await other.ok('logout');
  expect(await other.run('status')).toMatchObject({ code: 1, stderr: expect.stringContaining('quorate login NAME') });
});

test('an admin who lost the certificate makes another one on a controller’s console', async () => {
  await rm(join(operator.dir, 'data', 'environments', 'demo', 'client.pem'));
  expect(await operator.run('users')).toMatchObject({ code: 1 });
  const file = join(operator.dir, 'access.json');
  await operator.ok('cloud', 'recover-access', '0', '--out', file, '--name', 'carla');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await operator.run('cloud', 'recover-access', '0', '--out', file)).toMatchObject({ code: 1 });
  expect(await operator.ok('login', '--certificate', file)).toContain('You are carla (admin) in demo');
  expect(await whoami(operator)).toMatchObject({ user: 'carla', role: 'admin', by: 'certificate' });
  expect(await operator.ok('remove-user', 'bob')).toContain('no user bob any more');
  // And on a machine that knows nothing of the environment.
  await rm(join(other.dir, 'data', 'environments'), { recursive: true });
  await other.ok('login', '--certificate', file);
  expect(await whoami(other)).toMatchObject({ user: 'carla' });
  await writeFile(file, '{}');
  expect(await other.run('login', '--certificate', file)).toMatchObject({ code: 2 });
});

test('the audit log tells who did what, from where and with what result', async () => {
  const entries = await until('the last change', async () => {
    const all = await operator.json<AuditEntry[]>('audit-log', '-n', '1000');
    return all.some(({ route }) => route === 'removeUser') ? all : null;
  });
  const seen = entries.map(({ user, route, target, code }) => ({ user, route, target, code }));
  expect(seen).toContainEqual({ user: 'carla', route: 'removeUser', target: '/v1/users/bob', code: '' });
  expect(seen).toContainEqual({ user: 'bob', route: 'putSetting', target: '/v1/settings/x-a', code: 'not-allowed' });
  expect(seen).toContainEqual({ user: 'bob', route: 'grant', target: '/v1/users/bob/role', code: 'not-allowed' });
  expect(seen).toContainEqual({ user: 'bob', route: 'login', target: '/v1/login', code: 'bad-login' });
  expect(seen).toContainEqual({ user: 'bob', route: 'putPassword', target: '/v1/users/bob/password', code: '' });
  expect(await operator.ok('audit-log', '--user', 'bob', '-n', '3')).toMatch(/bob .*\n.*bob .*\n.*bob /);
  expect(await operator.run('audit-log', '-n', '0')).toMatchObject({ code: 2 });
});

test('no password is in a document, a log, a store, or what Temporal keeps', async () => {
  const secrets = [CANARY, added.password ?? CANARY];
  const [instance] = await operator.json<{ id: string }[]>('cloud', 'list');
  const { environment } = await operator.status();
  const directory = join(operator.dir, 'data', 'local', environment.uuid, instance?.id ?? '');
  const pem = await readFile(join(directory, 'disk', 'controller', 'state.pem'), 'utf8');
  const [certificate = '', key = ''] = pem.split(/(?=-----BEGIN [A-Z ]*PRIVATE KEY-----)/);
  const ca = await readFile(join(directory, 'disk', 'identity', 'ca.crt'), 'utf8');
  const { controllers } = await operator.status();
  const state = await openState({ hosts: [controllers[0]?.mongo ?? ''], tls: { ca, certificate, key } });
  try {
    for (const { name } of await state.db.listCollections().toArray()) {
      const documents = JSON.stringify(await state.db.collection(name).find().toArray());
      for (const secret of secrets) expect(documents, name).not.toContain(secret);
    }
  } finally {
    await state.close();
  }
  const logs = [join(directory, 'console.log'), ...(await filesUnder(join(directory, 'disk', 'log')))];
  const stores = [
    ...(await filesUnder(join(operator.dir, 'data'))),
    ...(await filesUnder(join(operator.dir, 'state'))),
  ];
  const kept = [...logs, ...stores, ...(await filesUnder(join(other.dir, 'data')))];
  expect(kept.length).toBeGreaterThan(10);
  for (const file of kept) {
    const contents = await readFile(file).catch(() => Buffer.alloc(0));
    for (const secret of secrets) expect(contents.includes(secret), file).toBe(false);
  }
});

async function filesUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
