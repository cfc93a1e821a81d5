import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { clockOf } from '../../src/cloud/local/namespace/clock.js';
import { createKeyAndRequest } from '../../src/pki/authority.js';
import { openStore } from '../../src/store/store.js';
import { call, type Target, TestSocket } from '../support/calls.js';
import { TestControllers } from '../support/controllers.js';
import { findFaketime } from '../support/faketime.js';
import { Home, until } from '../support/home.js';
import type { TestMembers } from '../support/members.js';
import { REPORT } from '../support/report.js';

/** Clocks that are an hour off: of a controller, whose callers are right, and of a caller, whose controller is right. */
const HOUR_MS = 3_600_000;
const { library, missing } = await findFaketime();
const whyNot = missing && ` (not here: ${missing})`;
const off = (ms: number) => ({ LD_PRELOAD: library, FAKETIME: clockOf(ms), FAKETIME_DONT_FAKE_MONOTONIC: '1' });

let set: TestMembers;
let controllers: TestControllers;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'quorate-test-clocks-'));
  controllers = await TestControllers.serving(2);
  ({ set } = controllers);
});

afterAll(async () => {
  await controllers?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const target = (machine: '0' | '1', options: Partial<Target> = {}): Target => controllers.target(options, machine);

describe.skipIf(whyNot !== '').each([
  ['ahead', HOUR_MS],
  ['behind', -HOUR_MS],
])(`a clock that is an hour %s${whyNot}`, (_, ms) => {
  afterEach(() => controllers.end('1').catch(() => null));

  test('of a controller: it is known, it serves, and what it gives out is good at the others', async () => {
    await controllers.start('1', off(ms));
    const { body: ping } = await call(target('1'), 'GET', '/v1/ping');
    expect(Math.abs(Number(ping.time) - Date.now() - ms)).toBeLessThan(60_000);
    const put = { body: { value: 'a', version: 0 }, key: randomUUID() };
    expect((await call(target('1'), 'PUT', `/v1/settings/x-${ms}`, put)).status).toBe(200);

    const body = { user: 'program', role: 'read', hours: 1 };
    const { body: made } = await call(target('1'), 'POST', '/v1/tokens', { body, key: randomUUID() });
    expect(Math.abs(Date.parse(String(made.expiresAt)) - Date.now() - HOUR_MS)).toBeLessThan(60_000);
    for (const machine of ['0', '1'] as const) {
      const token = target(machine, { tls: { ca: controllers.ca }, token: String(made.token) });
      expect((await call(token, 'GET', '/v1/whoami')).status, machine).toBe(200);
    }

    const { key, request } = await createKeyAndRequest();
    const { body: renewed } = await call(target('1'), 'POST', '/v1/renew', { body: { request } });
    const tls = { ca: controllers.ca, certificate: String(renewed.certificate), key };
    for (const machine of ['0', '1'] as const) {
      expect((await call(target(machine, { tls }), 'GET', '/v1/status')).status, machine).toBe(200);
    }

    const agent = await TestSocket.open(
      target('1', { tls: await controllers.certificate('machine-0', 'agent') }),
      '/v1/agent',
    );
    agent.say({ type: 'hello', session: randomUUID(), version: '0.1.0' });
    agent.say({ type: 'presence', seq: 1, report: REPORT });
    await until('the beat', async () => agent.messages.some(({ type }) => type === 'ack'));
    const { body: status } = await call(target('0'), 'GET', '/v1/status');
    expect(status.controllers).toMatchObject([{ machine: '0', agent: 'started' }]);
    agent.socket.terminate();
  });

  test('of whoever calls: the command works', async () => {
    const home = new Home();
    try {
      const store = await openStore(home.env);
      await store.writeEnvironment({
        ...{ name: 'demo', uuid: set.environment, cloud: 'local', region: '', url: '', createdAt: '' },
        addresses: { version: 1_000_000, servers: [{ machine: '0', api: controllers.address('0'), mongo: '' }] },
        temporal: { address: '127.0.0.1:1', namespace: 'default' },
      });
      await store.writeCredentials('demo', controllers.operator as Required<typeof controllers.operator>);
      Object.assign(home.env, off(ms));
      expect(await home.ok('status', '-e', 'demo')).toMatch(/^demo /);
      await home.ok('config', '-e', 'demo', `x-caller-${ms}=a`);
    } finally {
      await home.close();
    }
  });
});
