import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROUTES, type Route } from '../../src/api/routes.js';
import { CLOSE } from '../../src/api/sockets.js';
import type { Status } from '../../src/api/status.js';
import { bootToken } from '../../src/boot/token.js';
import type { TlsFiles } from '../../src/client/client.js';
import { startController } from '../../src/controller/controller.js';
import { createAuthority, createKeyAndRequest, issueWithKey, publicKeyHash } from '../../src/pki/authority.js';
import { subjectOf } from '../../src/pki/certificate.js';
import { publish } from '../../src/state/addresses.js';
import { addControllers, dropJobs, markDead, recordInstance } from '../../src/state/machines.js';
import { call, rawConnection, type Target, TestSocket } from '../support/calls.js';
import { TestControllers } from '../support/controllers.js';
import type { TestMembers } from '../support/members.js';
import { REPORT as report } from '../support/report.js';

let set: TestMembers;
let controllers: TestControllers;
let agent0: TlsFiles;

beforeAll(async () => {
  controllers = await TestControllers.serving(3);
  ({ set } = controllers);
  await controllers.start('1');
  agent0 = await controllers.certificate('machine-0', 'agent');
  // Machines 1 and 2 are the other members.
  await addControllers(controllers.state, await fence(), { count: 2, zones: ['b', 'c'] });
  for (const id of ['1', '2']) {
    const machine = await controllers.state.machines.findOne({ _id: id });
    const address = set.hosts[Number(id)]?.split(':')[0] ?? '';
    const instance = { id: `i-${id}`, address, ports: { api: 17070, mongo: 37017 }, state: 'running' };
    await recordInstance(controllers.state, await fence(), { id, nonce: machine?.nonce ?? '' }, instance);
  }
});

afterAll(() => controllers?.[Symbol.asyncDispose]());

async function fence() {
  const environment = await controllers.state.environment.findOne({});
  return { epoch: environment?.epoch ?? 0, environmentVersion: environment?.version ?? 0 };
}

const target = (machine: string, options: Partial<Target> = {}): Target => controllers.target(options, machine);

const nobody = () => ({ tls: { ca: controllers.ca } });

async function until(what: string, seen: () => unknown, ms = 20_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await seen())) {
    if (performance.now() > deadline) throw new Error(`waited for ${what}`);
    await sleep(20);
  }
}

describe('who may what', () => {
  test('WebSockets ask for a login too', async () => {
    await expect(TestSocket.open(target('0', nobody()), '/v1/watch')).rejects.toThrow('401');
    await expect(TestSocket.open(target('0', { tls: agent0 }), '/v1/watch')).rejects.toThrow('403');
    await expect(TestSocket.open(target('0'), '/v1/agent')).rejects.toThrow('403');
    await expect(TestSocket.open(target('0'), '/v1/nothing')).rejects.toThrow('404');
  });

  test('certificates of another CA, of services and of members are no login', async () => {
    const other = await createAuthority(set.environment);
    const subject = { cn: 'ana', ou: 'operator', o: set.environment } as const;
    const foreign = { ca: controllers.ca, ...(await issueWithKey(other, { subject })) };
    for (const tls of [
      foreign,
      await controllers.certificate('membership', 'service'),
      await controllers.certificate('machine-0', 'member'),
    ]) {
      expect((await call(target('0', { tls }), 'GET', '/v1/status')).status).toBe(401);
    }
    expect((await call(target('0', { ...nobody(), token: 'q'.repeat(40) }), 'GET', '/v1/status')).status).toBe(401);
  });

  test('the same request for a token gets the same token, of which only the hash is kept', async () => {
    const key = randomUUID();
    const body = { user: 'bob', role: 'read', days: 7 };
    const [first, again] = [
      await call(target('0'), 'POST', '/v1/tokens', { body, key }),
      await call(target('1'), 'POST', '/v1/tokens', { body, key }),
    ];
    expect(first).toMatchObject({ status: 201, body: { user: 'bob' } });
    expect(again).toEqual(first);
    expect(await controllers.state.credentials.countDocuments({ user: 'bob' })).toBe(1);
    const kept = JSON.stringify([
      await controllers.state.credentials.find().toArray(),
      await controllers.state.requests.find().toArray(),
    ]);
    expect(kept).not.toContain(first.body.token);
    const other = await call(target('0'), 'POST', '/v1/tokens', { body: { ...body, role: 'admin' }, key });
    expect(other).toMatchObject({ status: 422, body: { code: 'key-reused' } });
  });
});

describe('limits and refusals', () => {
  test.each([
    ['a body that is too large', { raw: `{"value": "${'x'.repeat(70_000)}"}`, key: 'k' }, 413, 'too-large'],
    ['no JSON', { raw: '{', key: 'k' }, 400, 'bad-request'],
    ['an unknown field', { body: { value: 'a', version: 0, colour: 'red' }, key: 'k' }, 400, 'bad-request'],
    ['a number for a text', { body: { value: 5, version: 0 }, key: 'k' }, 400, 'bad-request'],
    ['no body', { key: 'k' }, 400, 'bad-request'],
    ['no idempotency key', { body: { value: 'a', version: 0 } }, 400, 'no-idempotency-key'],
    ['a value that is too long', { body: { value: 'x'.repeat(17_000), version: 0 }, key: 'k' }, 400, 'bad-setting'],
  ])('%s', async (_, options, status, code) => {
    expect(await call(target('0'), 'PUT', '/v1/settings/x-limit', options)).toMatchObject({ status, body: { code } });
  });

  test('settings are checked', async () => {
    const put = (key: string, value: string) =>
      call(target('0'), 'PUT', `/v1/settings/${key}`, { body: { value, version: 0 }, key: randomUUID() });
    expect(await put('colour', 'red')).toMatchObject({ status: 404, body: { code: 'unknown-setting' } });
    expect(await put('grace', 'long')).toMatchObject({ status: 400, body: { code: 'bad-setting' } });
    expect(await put('auto-replace', 'maybe')).toMatchObject({ status: 400, body: { code: 'bad-setting' } });
    expect(await put('grace', '20s')).toMatchObject({ status: 200, body: { value: '20s', version: 1 } });
  });

  test('what is not there is said to be not there', async () => {
    for (const path of ['/v1/nothing', '/v1/machines/77', '/v1/settings/x-nothing', '/v1/changes/demo-9']) {
      expect(await call(target('0'), 'GET', path), path).toMatchObject({ status: 404 });
    }
    const absent = await call(target('0'), 'GET', '/v1/settings/x-nothing?absent=empty');
    expect(absent).toMatchObject({ status: 200, body: { value: '', version: 0 } });
  });

  test('the OpenAPI document has every route', async () => {
    const { body } = await call(target('0', nobody()), 'GET', '/v1/openapi.json');
    for (const { path, method } of Object.values<Route>(ROUTES)) {
      const documented = body.paths as unknown as Record<string, Record<string, unknown>>;
      expect(documented[path.replace(/:(\w+)/g, '{$1}')]).toHaveProperty(method.toLowerCase());
    }
  });
});

describe('settings', () => {
  const put = (machine: string, name: string, value: string, version: number, key: string = randomUUID()) =>
    call(target(machine), 'PUT', `/v1/settings/${name}`, { body: { value, version }, key });

  test('compare-and-set: of many at once one is made', async () => {
    expect(await put('0', 'x-cas', 'a', 0)).toMatchObject({ status: 200, body: { version: 1, by: 'ana' } });
    expect(await put('1', 'x-cas', 'b', 0)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => put(String(n % 2), 'x-cas', `c${n}`, 1)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(409)]);
    expect(await call(target('0'), 'GET', '/v1/settings/x-cas')).toMatchObject({
      body: { version: 2, value: answers.find(({ status }) => status === 200)?.body.value },
    });
  });

  test('a request that is sent again is made once, also when others have written since', async () => {
    const create = randomUUID();
    await put('0', 'x-again', 'a', 0, create);
    expect(await put('1', 'x-again', 'a', 0, create)).toMatchObject({ status: 200, body: { version: 1 } });
    const update = randomUUID();
    await put('0', 'x-again', 'b', 1, update);
    await put('0', 'x-again', 'c', 2);
    expect(await put('1', 'x-again', 'b', 1, update)).toMatchObject({ status: 200, body: { version: 2, value: 'b' } });
    expect(await put('1', 'x-again', 'a', 0, create)).toMatchObject({ status: 200, body: { version: 1 } });
    expect(await put('1', 'x-again', 'other', 1, update)).toMatchObject({ status: 422 });
    expect(await put('1', 'x-again', 'other', 3, update)).toMatchObject({ status: 422 });
    for (let version = 3; version < 12; version += 1) await put('0', 'x-again', 'd', version);
    expect(await put('1', 'x-again', 'b', 1, update)).toMatchObject({ status: 409, body: { code: 'overwritten' } });
    expect(await put('1', 'x-again', 'z', 11)).toMatchObject({ status: 409, body: { code: 'conflict' } });
  });

  test('removal is compare-and-set and made once', async () => {
    await put('0', 'x-gone', 'a', 0);
    const path = '/v1/settings/x-gone?version=1';
    const wrong = await call(target('0'), 'DELETE', '/v1/settings/x-gone?version=2', { key: randomUUID() });
    expect(wrong).toMatchObject({ status: 409 });
    const key = randomUUID();
    expect(await call(target('0'), 'DELETE', path, { key })).toMatchObject({ status: 200 });
    await put('0', 'x-gone', 'b', 0);
    expect(await call(target('1'), 'DELETE', path, { key })).toMatchObject({ status: 200 });
    expect(await call(target('1'), 'GET', '/v1/settings/x-gone')).toMatchObject({ body: { value: 'b' } });
  });

  test('pages hold every key once, defaults among them', async () => {
    for (let n = 0; n < 12; n += 1) await put('0', `x-page-${String(n).padStart(2, '0')}`, 'v', 0);
    const keys: string[] = [];
    for (let after = ''; ; ) {
      const { body } = await call(target('0'), 'GET', `/v1/settings?limit=5&after=${encodeURIComponent(after)}`);
      const page = body.settings as unknown as { key: string }[];
      keys.push(...page.map(({ key }) => key));
      if (body.next === null) break;
      after = String(body.next);
    }
    expect(keys).toEqual([...new Set(keys)].sort());
    expect(keys).toEqual(expect.arrayContaining(['auto-replace', 'grace', 'x-page-00', 'x-page-11']));
    const { body } = await call(target('0'), 'GET', '/v1/settings?prefix=x-page-&limit=100');
    expect(body.settings).toHaveLength(12);
  });
});

describe('enrolment', () => {
  async function newMachine(address: string | null) {
    const [machine] = await addControllers(controllers.state, await fence(), { count: 1, zones: ['b'] });
    const { _id: id = '', nonce = '' } = machine ?? {};
    if (address !== null) {
      const instance = { id: `i-${id}`, address, ports: { api: 17070, mongo: 37017 }, state: 'running' };
      await recordInstance(controllers.state, await fence(), { id, nonce }, instance);
    }
    return { machine: id, nonce, token: bootToken(controllers.bootKey, nonce) };
  }
  const from = (localAddress: string) => target('0', { ...nobody(), localAddress });

  test('user data is the same whenever it is asked for, and is refused once the machine is dying', async () => {
    const { machine, token } = await newMachine(null);
    const first = await call(target('0'), 'GET', `/v1/machines/${machine}/user-data`);
    expect(first.body).toMatchObject({ machine, token, ca: controllers.ca, addresses: [controllers.address('0')] });
    await publish(controllers.state, await fence(), ['0', '1']);
    expect(await call(target('1'), 'GET', `/v1/machines/${machine}/user-data`)).toEqual(first);
    await dropJobs(controllers.state, await fence(), [machine]);
    expect(await call(target('0'), 'GET', `/v1/machines/${machine}/user-data`)).toMatchObject({ status: 409 });
  });

  test('one token, one key, from its own address', async () => {
    const shown = await newMachine(null);
    const mine = await createKeyAndRequest();
    const body = { ...shown, request: mine.request };
    const early = await call(from('127.9.9.9'), 'POST', '/v1/enrol', { body });
    expect(early).toMatchObject({ status: 425, body: { code: 'too-early' } });

    const { machine, nonce } = shown;
    const instance = { id: 'i-x', address: '127.9.9.9', ports: { api: 17070, mongo: 37017 }, state: 'running' };
    await recordInstance(controllers.state, await fence(), { id: machine, nonce }, instance);
    const refused = { status: 403, body: { code: 'enrol-refused' } };
    expect(await call(from('127.9.9.8'), 'POST', '/v1/enrol', { body })).toMatchObject(refused);
    const wrong = { ...body, token: bootToken(controllers.bootKey, 'another') };
    expect(await call(from('127.9.9.9'), 'POST', '/v1/enrol', { body: wrong })).toMatchObject(refused);

    const enrolled = await call(from('127.9.9.9'), 'POST', '/v1/enrol', { body });
    expect(enrolled.status).toBe(200);
    const certificate = String(enrolled.body.certificate);
    expect(subjectOf(certificate)).toEqual({ cn: `machine-${machine}`, ou: 'agent', o: set.environment });
    expect(publicKeyHash(certificate)).toBe(publicKeyHash(mine.request));
    // The answer was lost; another controller is asked.
    const elsewhere = target('1', { ...nobody(), localAddress: '127.9.9.9' });
    expect(await call(elsewhere, 'POST', '/v1/enrol', { body })).toEqual(enrolled);

    const thief = { ...shown, request: (await createKeyAndRequest()).request };
    expect(await call(from('127.9.9.9'), 'POST', '/v1/enrol', { body: thief })).toMatchObject(refused);
    const { body: status } = await call(target('1'), 'GET', '/v1/status');
    expect((status as unknown as Status).ha.problems.join()).toContain(`tried to enrol as machine ${machine}`);

    const tls = { ca: controllers.ca, certificate, key: mine.key };
    const keys = await call(target('0', { tls }), 'GET', '/v1/controller-keys');
    expect(keys.body).toMatchObject({ caKey: set.authority.key, bootKey: controllers.bootKey, temporal: {} });
    await dropJobs(controllers.state, await fence(), [machine]);
    expect(await call(target('0', { tls }), 'GET', '/v1/controller-keys')).toMatchObject({ status: 403 });
  });

  test('many at once with one key get one certificate', async () => {
    const shown = await newMachine('127.9.9.10');
    const body = { ...shown, request: (await createKeyAndRequest()).request };
    const answers = await Promise.all(
      ['0', '1', '0', '1'].map((machine) =>
        call(target(machine, { ...nobody(), localAddress: '127.9.9.10' }), 'POST', '/v1/enrol', { body }),
      ),
    );
    expect(new Set(answers.map(({ body }) => body.certificate)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
    await dropJobs(controllers.state, await fence(), [shown.machine]);
  });

  test('a token is void after the time a boot may take, and when its machine is dying', async () => {
    const shown = await newMachine('127.9.9.11');
    const body = { ...shown, request: (await createKeyAndRequest()).request };
    const { state } = controllers;
    const long = new Date(Date.now() - 3_600_000);
    await state.machines.updateOne({ _id: shown.machine }, { $set: { 'instance.recordedAt': long } });
    expect(await call(from('127.9.9.11'), 'POST', '/v1/enrol', { body })).toMatchObject({ status: 403 });
    await state.machines.updateOne({ _id: shown.machine }, { $set: { 'instance.recordedAt': new Date() } });
    await dropJobs(state, await fence(), [shown.machine]);
    expect(await call(from('127.9.9.11'), 'POST', '/v1/enrol', { body })).toMatchObject({ status: 403 });
  });
});

describe('watch', () => {
  const put = (name: string, version = 0) =>
    call(target('0'), 'PUT', `/v1/settings/${name}`, { body: { value: 'v', version }, key: randomUUID() });
  const events = (socket: TestSocket) => socket.messages.filter(({ kind }) => kind !== 'start');
  const ids = (socket: TestSocket) => events(socket).map(({ id }) => id);

  test('from now on, then on at another controller: nothing skipped, nothing twice', async () => {
    const first = await TestSocket.open(target('0'), '/v1/watch');
    await until('the start', () => first.messages.length === 1);
    const written = Array.from({ length: 30 }, (_, n) => `x-watch-${n}`);
    for (const name of written.slice(0, 10)) await put(name);
    await until('ten events', () => events(first).length === 10);
    expect(ids(first)).toEqual(written.slice(0, 10));

    // From the middle of what was seen, at another controller, while more is written.
    const token = String(events(first)[4]?.token);
    const writing = (async () => {
      for (const name of written.slice(10)) await put(name);
    })();
    const second = await TestSocket.open(target('1'), `/v1/watch?after=${token}`);
    await writing;
    await until('all events', () => events(second).length === 25 && events(first).length === 30);
    expect(ids(second)).toEqual(written.slice(5));
    expect(events(first).map(({ token }) => token)).toEqual([
      ...events(first)
        .slice(0, 5)
        .map(({ token }) => token),
      ...events(second).map(({ token }) => token),
    ]);

    // One that was away before a single event came goes on from its start; a new process has nothing kept.
    await controllers.end('1');
    await controllers.start('1');
    const third = await TestSocket.open(target('1'), `/v1/watch?after=${first.messages[0]?.token}`);
    await until('all events', () => events(third).length === 30);
    await put('x-watch-last');
    await until('the last event', () => ids(third).includes('x-watch-last'));
    expect(ids(third)).toEqual([...written, 'x-watch-last']);
    for (const socket of [first, second, third]) socket.socket.close();
  });

  test('a setting that is written over and over is told at every version', async () => {
    const socket = await TestSocket.open(target('1'), '/v1/watch');
    await until('the start', () => socket.messages.length === 1);
    for (let version = 0; version < 15; version += 1) await put('x-over', version);
    await until('all versions', () => events(socket).length === 15);
    expect(events(socket).map(({ document }) => (document as { version: number }).version)).toEqual(
      Array.from({ length: 15 }, (_, n) => n + 1),
    );
    socket.socket.close();
  });

  test('a token that is none is refused in words', async () => {
    const socket = await TestSocket.open(target('0'), '/v1/watch?after=rubbish');
    await socket.closed;
    expect(socket.messages.at(-1)).toMatchObject({ kind: 'error', code: 'bad-token', message: expect.any(String) });
  });

  test('a reader that does not read is dropped', async () => {
    const slow = await TestSocket.open(target('0'), '/v1/watch');
    const quick = await TestSocket.open(target('0'), '/v1/watch');
    await until('the start', () => slow.messages.length === 1 && quick.messages.length === 1);
    (slow.socket as unknown as { _socket: { pause(): void } })._socket.pause();
    const value = 'x'.repeat(16_000);
    let written = 0;
    for (; written < 1200 && (await connected(controllers, quick, slow)); written += 12) {
      await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          call(target('0'), 'PUT', `/v1/settings/x-flood-${written + n}`, {
            body: { value, version: 0 },
            key: randomUUID(),
          }),
        ),
      );
    }
    expect(written).toBeLessThan(1200);
    await until('the quick one', () => events(quick).length >= written);
    quick.socket.close();
  });
});

/** Whether the controller still holds the connection of a socket that does not read, as the system sees it. */
async function connected(of: TestControllers, ...[, slow]: [TestSocket, TestSocket]): Promise<boolean> {
  const { readFile } = await import('node:fs/promises');
  const { localPort } = (slow.socket as unknown as { _socket: { localPort: number } })._socket;
  const table = await readFile(`/proc/${of.process('0').pid}/net/tcp`, 'utf8');
  const port = localPort.toString(16).toUpperCase().padStart(4, '0');
  // Seen from the server: remote port and state 01, ESTABLISHED.
  return table.split('\n').some((line) => new RegExp(`:42AE \\S+:${port} 01 `).test(line));
}

describe('agents', () => {
  const hello = { type: 'hello', session: 's1', version: '9.9.9' };

  test('are told of their machine and the addresses, and heard', async () => {
    const tls = await controllers.certificate('machine-2', 'agent');
    const agent = await TestSocket.open(target('1', { tls }), '/v1/agent');
    agent.say(hello);
    agent.say({ type: 'presence', seq: 1, report });
    await until('the machine', () => agent.messages.some(({ type }) => type === 'machine'));
    expect(agent.messages[0]).toMatchObject({
      type: 'machine',
      life: 'alive',
      jobs: ['manage-state', 'manage-environ'],
      memberId: 2,
      addresses: { servers: [{ machine: '0' }, { machine: '1' }], url: 'file:///nowhere' },
      settings: { suspectAfterMs: 500 },
    });
    await until('the ack', () => agent.messages.some(({ type, seq }) => type === 'ack' && seq === 1));
    expect(await controllers.state.presence.findOne({ _id: '2' })).toMatchObject({ seq: 1, session: 's1', report });
    await until(
      'the version',
      async () => (await controllers.state.machines.findOne({ _id: '2' }))?.agentVersion === '9.9.9',
    );

    const told = agent.messages.length;
    await publish(controllers.state, await fence(), ['0', '1', '2']);
    await until('the addresses', () =>
      agent.messages
        .slice(told)
        .some(({ addresses }) => (addresses as { servers: unknown[] } | undefined)?.servers.length === 3),
    );
    await controllers.state.machines.updateOne({ _id: '2' }, { $set: { knewKeys: true }, $inc: { version: 1 } });
    await until('the change', () => agent.messages.filter(({ type }) => type === 'machine').length >= 3);
    const suspectAfter = () => agent.messages.at(-1)?.settings as { suspectAfterMs: number } | undefined;
    const path = '/v1/settings/suspect-after';
    await call(target('0'), 'PUT', path, { body: { value: '1.5s', version: 0 }, key: randomUUID() });
    await until('the setting', () => suspectAfter()?.suspectAfterMs === 1500);
    await call(target('0'), 'DELETE', `${path}?version=1`, { key: randomUUID() });
    await until('its default', () => suspectAfter()?.suspectAfterMs === 500);
    agent.socket.close();
  });

  test('of machines that are gone are told so, and leave no presence', async () => {
    const [machine] = await addControllers(controllers.state, await fence(), { count: 1, zones: [''] });
    const id = machine?._id ?? '';
    const tls = await controllers.certificate(`machine-${id}`, 'agent');
    const agent = await TestSocket.open(target('0', { tls }), '/v1/agent');
    agent.say(hello);
    await until('the machine', () => agent.messages.length > 0);
    await dropJobs(controllers.state, await fence(), [id]);
    await until('dying', () => agent.messages.at(-1)?.life === 'dying');
    await markDead(controllers.state, await fence(), [id]);
    expect(await agent.closed).toBe(CLOSE.gone);
    expect(agent.messages.at(-1)).toEqual({ type: 'gone' });

    const unknown = await controllers.certificate('machine-99', 'agent');
    const stranger = await TestSocket.open(target('0', { tls: unknown }), '/v1/agent');
    stranger.say(hello);
    stranger.say({ type: 'presence', seq: 1, report });
    expect(await stranger.closed).toBe(CLOSE.gone);
    expect(await controllers.state.presence.findOne({ _id: '99' })).toBeNull();
  });

  test('that say something else are closed', async () => {
    for (const said of [{ type: 'presence', seq: 1, report }, { type: 'nonsense' }, 5]) {
      const agent = await TestSocket.open(target('0', { tls: agent0 }), '/v1/agent');
      agent.say(said);
      expect(await agent.closed).toBe(CLOSE.badMessage);
    }
  });

  test('that fall silent are down, and up again when they are heard', async () => {
    const tls = await controllers.certificate('machine-2', 'agent');
    const stateOf2 = async () => {
      const { body } = await call(target('0'), 'GET', '/v1/status');
      return (body as unknown as Status).controllers.find(({ machine }) => machine === '2')?.agent;
    };
    const agent = await TestSocket.open(target('1', { tls }), '/v1/agent');
    agent.say(hello);
    const beating = setInterval(() => agent.say({ type: 'presence', seq: 1, report }), 300);
    await until('started', async () => (await stateOf2()) === 'started');
    clearInterval(beating);
    await until('down', async () => (await stateOf2()) === 'down', 15_000);
    agent.say({ type: 'presence', seq: 2, report });
    await until('started', async () => (await stateOf2()) === 'started');
    agent.say({ type: 'presence', seq: 3, report: { ...report, status: 'stopping' } });
    await until('stopped', async () => (await stateOf2()) === 'stopped');
    agent.socket.close();
  });
});

describe('over losses', () => {
  test('a write waits for the next primary instead of failing, and is made once', async () => {
    const client = controllers.client(['0', '1']);
    const primary = set.member(controllers.state.primary() ?? '');
    let longest = 0;
    const write = async (n: number) => {
      const began = performance.now();
      const options = { body: { value: 'v', version: 0 }, idempotencyKey: randomUUID(), timeoutMs: 30_000 };
      await client.request('PUT', `/v1/settings/x-loss-${n}`, options);
      longest = Math.max(longest, performance.now() - began);
    };
    for (let n = 0; n < 20; n += 1) await write(n);
    await primary.kill();
    for (let n = 20; n < 40; n += 1) await write(n);
    await primary.start();
    const { body } = await client.request<{ settings: unknown[] }>('GET', '/v1/settings?prefix=x-loss-&limit=100');
    expect(body.settings).toHaveLength(40);
    console.log(`longest write over the loss of the primary: ${Math.round(longest)} ms`);
  });

  test('a controller that leaves sends its sockets on and ends at once; so does one whose agent is gone', async () => {
    const watcher = await TestSocket.open(target('1'), '/v1/watch');
    await until('the start', () => watcher.messages.length === 1);
    const ended = controllers.end('1', 'SIGTERM');
    expect(await watcher.closed).toBe(CLOSE.leaving);
    expect(await ended).toBe(0);
    await controllers.start('1');
    const gone = new Promise((resolve) => controllers.process('1').once('exit', resolve));
    controllers.process('1').stdin?.end();
    expect(await gone).toBe(0);
    await controllers.start('1');
  });

  test('who asks one that leaves is told so, in a form that clients act on', async () => {
    await controllers.end('1');
    // In this process, so that the rest of the request comes after it began to leave and before it has left.
    const leaving = await startController(await controllers.config('1'));
    const { write, end } = await rawConnection(target('1'));
    write('GET /v1/ping HTTP/1.1\r\n');
    // Answered after what was written before has been read.
    expect((await call(target('1'), 'GET', '/v1/ping')).status).toBe(200);
    const left = leaving.close();
    write('host: controller\r\n\r\n');
    const [head = '', body = ''] = (await end).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 503 /);
    expect(JSON.parse(body)).toMatchObject({ code: 'leaving', todo: 'Ask another one.' });
    await left;
    await controllers.start('1');
  });

  test('without a majority status and logins are served from what is left, marked stale', async () => {
    const token = await call(target('0'), 'POST', '/v1/tokens', {
      body: { user: 'eve', role: 'read', days: 1 },
      key: randomUUID(),
    });
    // Machine 0's own member is left alone; until it has the token too, the other two were majority enough.
    const own = set.members[0]?.client();
    await until('the token on the member that is left', () =>
      own?.db('quorate').collection('credentials').findOne({ user: 'eve' }),
    );
    await own?.close();
    await set.members[1]?.kill();
    await set.members[2]?.kill();
    let status: Status | null = null;
    await until('no quorum', async () => {
      status = (await call(target('0'), 'GET', '/v1/status')).body as unknown as Status;
      // What is left notices the dead ones one heartbeat after another.
      return status.stale && status.ha.healthyVoters === 1 && status.ha.primary === null;
    });
    expect(status).toMatchObject({
      environment: { name: 'demo', phase: 'no-quorum' },
      ha: { faultTolerance: 0, primary: null, voters: 3, healthyVoters: 1 },
      stale: true,
      answeredBy: '0',
    });
    const reader = target('0', { ...nobody(), token: String(token.body.token) });
    expect((await call(reader, 'GET', '/v1/status')).status).toBe(200);
    expect((await call(target('0'), 'GET', '/v1/addresses')).status).toBe(200);
    const refused = await call(target('0'), 'PUT', '/v1/settings/x-late', {
      body: { value: 'v', version: 0 },
      key: randomUUID(),
    });
    expect(refused).toMatchObject({ status: 503, body: { code: expect.stringMatching(/no-quorum|unknown-outcome/) } });

    await set.members[1]?.start();
    await until(
      'a majority',
      async () => !((await call(target('0'), 'GET', '/v1/status')).body as unknown as Status).stale,
    );
    await set.members[2]?.start();
  });
});
