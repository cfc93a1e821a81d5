import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Role } from '../../src/api/access.js';
import { ROUTES, type Route } from '../../src/api/routes.js';
import type { AuditEntry, User } from '../../src/api/users.js';
import type { TlsFiles } from '../../src/client/client.js';
import { createAuthority, issueWithKey } from '../../src/pki/authority.js';
import { openSession } from '../../src/state/sessions.js';
import { call, exchange, type Target, TestSocket } from '../support/calls.js';
import { TestControllers } from '../support/controllers.js';
import { until } from '../support/home.js';
import type { TestMembers } from '../support/members.js';
import { REPORT } from '../support/report.js';

/** Who may come in and do what: every route for every role, and users with their tokens at two controllers at once. */
let set: TestMembers;
let controllers: TestControllers;
let agents: readonly TlsFiles[];

beforeAll(async () => {
  controllers = await TestControllers.serving(2);
  ({ set } = controllers);
  await controllers.start('1');
  agents = await Promise.all(['0', '1'].map((id) => controllers.certificate(`machine-${id}`, 'agent')));
});

afterAll(() => controllers?.[Symbol.asyncDispose]());

/** Refusals are counted by address: each use of this has one of its own. */
let addresses = 1;
function target(machine: '0' | '1', options: Partial<Target> = {}): Target {
  addresses += 1;
  return controllers.target({ localAddress: `127.77.${addresses >> 8}.${addresses & 255}`, ...options }, machine);
}

const nobody = () => ({ tls: { ca: controllers.ca } });
const withToken = (token: string) => ({ ...nobody(), token });

async function programsToken(role: string): Promise<string> {
  const body = { user: `program-${role}`, role, days: 1 };
  const { body: answer } = await call(target('0'), 'POST', '/v1/tokens', { body, key: randomUUID() });
  return String(answer.token);
}

describe('every route, for every role', () => {
  interface As {
    readonly role: Role | null;
    readonly login: Partial<Target>;
  }
  let callers: Record<string, As>;

  beforeAll(async () => {
    const subject = { cn: 'ana', ou: 'operator', o: set.environment } as const;
    const foreign = await issueWithKey(await createAuthority(set.environment), { subject });
    const otherEnvironment = await issueWithKey(set.authority, { subject: { ...subject, o: randomUUID() } });
    callers = {
      nobody: { role: null, login: nobody() },
      'a token that nobody has': { role: null, login: withToken('q'.repeat(40)) },
      'another CA': { role: null, login: { tls: { ca: controllers.ca, ...foreign } } },
      'another environment': { role: null, login: { tls: { ca: controllers.ca, ...otherEnvironment } } },
      'another service': { role: null, login: { tls: await controllers.certificate('membership', 'service') } },
      'a worker': { role: 'admin', login: { tls: await controllers.certificate('state', 'service') } },
      'a member': { role: null, login: { tls: await controllers.certificate('machine-0', 'member') } },
      operator: { role: 'admin', login: {} },
      agent: { role: 'agent', login: { tls: agents[0] as TlsFiles } },
    };
  });

  // Made anew for each route: some of them end what they are called with, and MongoDB removes what has expired.
  beforeEach(async () => {
    const expired = `qrs_${randomUUID()}`;
    await controllers.state.credentials.insertOne({
      _id: createHash('sha256').update(expired).digest('hex'),
      user: 'late',
      role: 'admin',
      createdAt: new Date(0),
      expiresAt: new Date(Date.now() - 1000),
    });
    callers['an expired token'] = { role: null, login: withToken(expired) };
    for (const role of ['read', 'write', 'admin'] as const) {
      callers[role] = { role, login: withToken(await programsToken(role)) };
    }
  });

  /** Nothing of that name is there, so that whoever is let in does no harm; an agent asks for its own. */
  const pathOf = (route: Route, role: Role | null) =>
    route.path.replace(':id', role === 'agent' ? '0' : '77').replace(/:\w+/g, 'x-nothing');

  async function statusOf(route: Route, { role, login }: As): Promise<number> {
    if (!route.socket) {
      return (await call(target('0', login), route.method, pathOf(route, role), { key: randomUUID() })).status;
    }
    try {
      const socket = await TestSocket.open(target('0', login), pathOf(route, role));
      socket.socket.terminate();
      return 101;
    } catch (error) {
      return Number(/\d{3}/.exec(String(error))?.[0]);
    }
  }

  test.each(Object.entries<Route>(ROUTES))('%s', async (_, route) => {
    for (const [name, as] of Object.entries(callers)) {
      const status = await statusOf(route, as);
      const allowed = route.may === 'anyone' || (as.role !== null && route.may.includes(as.role));
      if (allowed) expect([401, 403, 429], name).not.toContain(status);
      else expect(status, name).toBe(as.role === null ? 401 : 403);
    }
  });
});

describe('an agent', () => {
  test('is told of no machine but its own, whatever it asks for', async () => {
    const one = target('0', { tls: agents[1] as TlsFiles });
    for (const [method, path] of [
      ['GET', '/v1/machines/0'],
      ['GET', '/v1/machines/0/user-data'],
      ['PUT', '/v1/machines/0/maintenance'],
      ['GET', '/v1/status'],
    ] as const) {
      const body = method === 'PUT' ? { body: { for: '1m' } } : {};
      expect((await call(one, method, path, { ...body, key: randomUUID() })).status, path).toBe(403);
    }
    // Machine 1 is no controller here, and that it says it is one does not help.
    expect(await call(one, 'GET', '/v1/controller-keys?machine=0')).toMatchObject({ status: 403 });
  });

  test('speaks for its own machine only', async () => {
    const socket = await TestSocket.open(target('0', { tls: agents[1] as TlsFiles }), '/v1/agent?machine=0');
    socket.say({ type: 'hello', session: randomUUID(), version: '0.1.0', machine: '0' });
    socket.say({ type: 'presence', seq: 1, report: REPORT, machine: '0' });
    await socket.closed;
    // There is no machine 1: it is told so, and nothing is written in the name of machine 0.
    expect(socket.messages).toEqual([{ type: 'gone' }]);
    expect(await controllers.state.presence.countDocuments()).toBe(0);
  });
});

describe('users', () => {
  const add = async (name: string, role: string, password: string, key: string = randomUUID()) =>
    await call(target('0'), 'POST', '/v1/users', { body: { name, role, password }, key });
  const logIn = async (user: string, password: string, machine: '0' | '1' = '0', options: Partial<Target> = {}) =>
    await exchange(target(machine, { ...nobody(), ...options }), 'POST', '/v1/login', { body: { user, password } });
  const tokenOf = async (user: string, password: string, machine: '0' | '1' = '0') => {
    const { status, body } = await logIn(user, password, machine);
    expect(status, JSON.stringify(body)).toBe(200);
    return String(body.token);
  };
  const change = (login: Partial<Target>, method: string, path: string, body?: unknown) =>
    call(target('0', login), method, path, { body, key: randomUUID() });
  const whoami = async (token: string, machine: '0' | '1') =>
    (await call(target(machine, withToken(token)), 'GET', '/v1/whoami')).status;

  test('are added once for a key, and the key says nothing of the password', async () => {
    const key = randomUUID();
    const first = await add('once', 'read', 'canary-password-1', key);
    expect(first).toMatchObject({ status: 201, body: { name: 'once', role: 'read', createdBy: 'ana', version: 1 } });
    expect(await add('once', 'read', 'canary-password-1', key)).toEqual(first);
    expect(await add('once', 'read', 'another-password', key)).toMatchObject({ body: { code: 'key-reused' } });
    expect(await add('once', 'read', 'canary-password-1')).toMatchObject({
      status: 409,
      body: { code: 'user-exists' },
    });
    const body = { name: 'once', role: 'read', password: 'canary-password-1' };
    const plain = createHash('sha256')
      .update(JSON.stringify(['POST', '/v1/users', body]))
      .digest('hex');
    const kept = JSON.stringify([
      await controllers.state.requests.find().toArray(),
      await controllers.state.users.find().toArray(),
    ]);
    expect(kept).toContain('scrypt');
    expect(kept).not.toContain('canary-password-1');
    expect(kept).not.toContain(plain);
  });

  test.each([
    ['a short password', { name: 'new', role: 'read', password: 'short' }, 'bad-password'],
    ['no password', { name: 'new', role: 'read' }, 'bad-request'],
    ['no role', { name: 'new', role: 'agent', password: 'long-enough' }, 'bad-request'],
    ['a strange name', { name: 'a/b', role: 'read', password: 'long-enough' }, 'bad-request'],
    ['an agent’s name', { name: 'machine-0', role: 'read', password: 'long-enough' }, 'bad-user'],
  ])('%s is refused', async (_, body, code) => {
    expect(await call(target('0'), 'POST', '/v1/users', { body, key: randomUUID() })).toMatchObject({
      status: 400,
      body: { code },
    });
    expect(await controllers.state.users.countDocuments({ _id: body.name })).toBe(0);
  });

  test('a change of role or password, a removal and a logout end tokens at both controllers, and sockets', async () => {
    await add('bob', 'read', 'first-password');
    const ended = async (token: string, what: string) => {
      for (const machine of ['0', '1'] as const)
        expect(await whoami(token, machine), `${what} at ${machine}`).toBe(401);
    };
    const first = await tokenOf('bob', 'first-password');
    expect(await whoami(first, '1')).toBe(200);
    const watch = await TestSocket.open(target('1', withToken(first)), '/v1/watch');
    expect(await change({}, 'PUT', '/v1/users/bob/role', { role: 'write' })).toMatchObject({
      status: 200,
      body: { role: 'write', version: 2 },
    });
    await ended(first, 'grant');
    expect(await Promise.race([watch.closed, until('the end of the watch', async () => false, 10)])).toBe(1013);

    const second = await tokenOf('bob', 'first-password', '1');
    expect(await change({}, 'PUT', '/v1/users/bob/role', { role: 'write' })).toMatchObject({ body: { version: 2 } });
    expect(await whoami(second, '0'), 'the same role changes nothing').toBe(200);
    const own = { password: 'second-password', current: 'first-password' };
    expect(await change(withToken(second), 'PUT', '/v1/users/bob/password', own)).toMatchObject({ status: 200 });
    await ended(second, 'change-password');
    expect((await logIn('bob', 'first-password')).status).toBe(401);

    const third = await tokenOf('bob', 'second-password');
    expect((await change(withToken(third), 'POST', '/v1/logout')).status).toBe(200);
    await ended(third, 'logout');

    const fourth = await tokenOf('bob', 'second-password');
    expect(await change({}, 'DELETE', '/v1/users/bob/role')).toMatchObject({ status: 200, body: { role: null } });
    await ended(fourth, 'revoke');
    expect((await logIn('bob', 'second-password')).status).toBe(401);

    await change({}, 'PUT', '/v1/users/bob/role', { role: 'read' });
    const fifth = await tokenOf('bob', 'second-password');
    expect((await change({}, 'DELETE', '/v1/users/bob')).status).toBe(200);
    await ended(fifth, 'remove-user');
    expect((await change({}, 'DELETE', '/v1/users/bob')).status).toBe(404);
  });

  test('one’s own password takes the present one; another’s takes an admin', async () => {
    await add('cyn', 'write', 'password-of-cyn');
    await add('dan', 'read', 'password-of-dan');
    const cyn = withToken(await tokenOf('cyn', 'password-of-cyn'));
    const put = (user: string, body: object) => change(cyn, 'PUT', `/v1/users/${user}/password`, body);
    expect(await put('cyn', { password: 'long-enough' })).toMatchObject({ status: 400 });
    expect(await put('cyn', { password: 'long-enough', current: 'wrong-one' })).toMatchObject({
      status: 403,
      body: { code: 'wrong-password' },
    });
    expect(await put('dan', { password: 'long-enough' })).toMatchObject({ status: 403, body: { code: 'not-allowed' } });
    expect((await logIn('cyn', 'password-of-cyn')).status).toBe(200);
    expect((await change({}, 'PUT', '/v1/users/dan/password', { password: 'long-enough' })).status).toBe(200);
    expect((await logIn('dan', 'long-enough')).status).toBe(200);
  });

  test('nobody gives more than they have', async () => {
    await add('eve', 'write', 'password-of-eve');
    const eve = withToken(await tokenOf('eve', 'password-of-eve'));
    expect((await change(eve, 'PUT', '/v1/users/eve/role', { role: 'admin' })).status).toBe(403);
    expect((await change(eve, 'POST', '/v1/users', { name: 'x', role: 'read', password: 'long-enough' })).status).toBe(
      403,
    );
    expect((await change(eve, 'POST', '/v1/tokens', { user: 'x', role: 'read', days: 1 })).status).toBe(403);
    expect(await controllers.state.users.findOne({ _id: 'eve' })).toMatchObject({ role: 'write', version: 1 });
  });

  test('the last admin stays one, but for who has a certificate; of two who end each other at once one stays', async () => {
    await add('one', 'admin', 'password-of-one');
    await add('two', 'admin', 'password-of-two');
    const [one, two] = [await tokenOf('one', 'password-of-one'), await tokenOf('two', 'password-of-two')];
    const answers = await Promise.all([
      change(withToken(one), 'DELETE', '/v1/users/two/role'),
      change(withToken(two), 'DELETE', '/v1/users/one'),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await controllers.state.users.countDocuments({ role: 'admin' })).toBe(1);
    const [left] = await controllers.state.users.find({ role: 'admin' }).toArray();
    const name = left?._id ?? '';
    const last = withToken(await tokenOf(name, `password-of-${name}`));
    for (const [method, path, body] of [
      ['DELETE', `/v1/users/${name}`],
      ['DELETE', `/v1/users/${name}/role`],
      ['PUT', `/v1/users/${name}/role`, { role: 'write' }],
    ] as const) {
      expect(await change(last, method, path, body)).toMatchObject({ status: 409, body: { code: 'last-admin' } });
    }
    expect((await change({}, 'DELETE', `/v1/users/${name}`)).status).toBe(200);
  });

  test('a login does not get past a change of password that was made while it was tried', async () => {
    await add('fay', 'read', 'password-of-fay');
    const tried = await controllers.state.users.findOne({ _id: 'fay' });
    await change({}, 'PUT', '/v1/users/fay/password', { password: 'another-password' });
    expect(
      await openSession(controllers.state, { _id: 'fay', version: tried?.version ?? 0 }, { hash: 'h', hours: 1 }),
    ).toBe(null);
    expect(await controllers.state.credentials.countDocuments({ user: 'fay' })).toBe(0);
  });

  test('tries are counted before they are checked, by user and by address, also all at once', async () => {
    await add('gil', 'read', 'password-of-gil');
    const tries = Array.from({ length: 14 }, () => logIn('gil', 'wrong-password'));
    // Who is limited is told before the others are checked, which takes so long on a busy machine that one may try again.
    await Promise.any(tries.map(async (each) => expect((await each).status).toBe(429)));
    expect((await logIn('gil', 'password-of-gil')).status, 'the right one, too late').toBe(429);
    const wrong = await Promise.all(tries);
    expect(wrong.filter(({ status }) => status === 401)).toHaveLength(10);
    const limited = wrong.filter(({ status }) => status === 429);
    expect(limited).toHaveLength(4);
    expect(limited[0]?.body.code).toBe('too-many');
    expect(Number(limited[0]?.headers['retry-after'])).toBeGreaterThan(0);
    // The other controller counts by itself.
    expect((await logIn('gil', 'password-of-gil', '1')).status).toBe(200);
    const localAddress = '127.78.0.1';
    const guesses = await Promise.all(
      Array.from({ length: 40 }, (_, n) => logIn(`nobody-${n}`, 'wrong-password', '1', { localAddress })),
    );
    const refused = guesses.filter(({ body }) => String(body.message).includes('from here'));
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ status, headers }) => status === 429 && Number(headers['retry-after']) > 0)).toBe(true);
  });

  test('an unknown user takes as long as a known one', async () => {
    await add('hal', 'read', 'password-of-hal');
    const timed = async (user: string) => {
      const began = performance.now();
      expect(await logIn(user, 'wrong-password')).toMatchObject({ status: 401, body: { code: 'bad-login' } });
      return performance.now() - began;
    };
    const [known, unknown] = [await timed('hal'), await timed('who-is-that')];
    // A hash takes a third of a second and more, an answer without one some milliseconds.
    expect(unknown).toBeGreaterThan(known / 4);
  });

  test('the audit log has changes, refusals and failed logins, and no password', async () => {
    await add('ivy', 'read', 'canary-password-2');
    const ivy = withToken(await tokenOf('ivy', 'canary-password-2'));
    await logIn('ivy', 'canary-password-3');
    await logIn('canary-password-4', 'typed-the-wrong-way');
    await change(ivy, 'PUT', '/v1/settings/x-ivy', { value: 'a', version: 0 });
    await call(target('0', ivy), 'GET', '/v1/users?secret=canary-password-5');
    const entries = await until('five entries', async () => {
      const { body } = await call(target('1'), 'GET', '/v1/audit?limit=1000');
      const all = body.entries as unknown as AuditEntry[];
      const mine = all.filter(
        ({ user, target: to, route }) => user === 'ivy' || to.includes('x-ivy') || route === 'login',
      );
      return mine.some(({ route, status }) => route === 'users' && status === 403) ? all : null;
    });
    const seen = entries.map(({ user, route, status, code, by }) => ({ user, route, status, code, by }));
    expect(seen).toContainEqual({ user: 'ana', route: 'addUser', status: 201, code: '', by: 'certificate' });
    expect(seen).toContainEqual({ user: 'ivy', route: 'login', status: 200, code: '', by: 'password' });
    expect(seen).toContainEqual({ user: 'ivy', route: 'login', status: 401, code: 'bad-login', by: 'password' });
    expect(seen).toContainEqual({ user: '', route: 'login', status: 401, code: 'bad-login', by: 'nothing' });
    expect(seen).toContainEqual({ user: 'ivy', route: 'putSetting', status: 403, code: 'not-allowed', by: 'token' });
    expect(seen).toContainEqual({ user: 'ivy', route: 'users', status: 403, code: 'not-allowed', by: 'token' });
    expect(JSON.stringify(await controllers.state.audit.find().toArray())).not.toMatch(/canary/);
    const { body } = await call(target('0'), 'GET', '/v1/audit?user=ivy&limit=2');
    expect((body.entries as unknown as AuditEntry[]).map(({ user }) => user)).toEqual(['ivy', 'ivy']);
  });

  test('are listed without what is kept of their passwords', async () => {
    await add('joe', 'read', 'password-of-joe');
    const { body } = await call(target('1'), 'GET', '/v1/users');
    const joe = (body.users as unknown as User[]).find(({ name }) => name === 'joe');
    expect(joe).toEqual({
      name: 'joe',
      role: 'read',
      createdAt: expect.stringMatching(/Z$/),
      createdBy: 'ana',
      lastLoginAt: '',
      version: 1,
    });
  });
});
