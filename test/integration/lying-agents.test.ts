import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootToken } from '../../src/boot/token.js';
import type { TlsFiles } from '../../src/client/client.js';
import { createKeyAndRequest } from '../../src/pki/authority.js';
import { subjectOf } from '../../src/pki/certificate.js';
import { recordInstance } from '../../src/state/machines.js';
import { call, type Target, TestSocket } from '../support/calls.js';
import { TestControllers } from '../support/controllers.js';
import { until } from '../support/home.js';
import { REPORT } from '../support/report.js';

/** The agent of one machine that speaks of another one, or says what is not to be believed. Machines 1 and 2 are alike. */
let controllers: TestControllers;
let liar: TlsFiles;
let honest: TlsFiles;
let operation: string;
const nonces = new Map<string, string>();

beforeAll(async () => {
  controllers = await TestControllers.serving(1);
  [liar, honest] = [
    await controllers.certificate('machine-1', 'agent'),
    await controllers.certificate('machine-2', 'agent'),
  ];
  const { state } = controllers;
  await change('POST', '/v1/machines', { count: 2 });
  for (const id of ['1', '2']) {
    const nonce = (await state.machines.findOne({ _id: id }))?.nonce ?? '';
    nonces.set(id, nonce);
    const instance = {
      id: `i-${id}`,
      address: `127.66.0.${id}`,
      ports: { api: 17070, mongo: 37017 },
      state: 'running',
    };
    await recordInstance(state, { epoch: 1 }, { id, nonce }, instance);
  }
  const asked = await change('POST', '/v1/operations', { command: ['true'], machines: ['2'], background: true });
  operation = String(asked.id);
});

afterAll(() => controllers?.[Symbol.asyncDispose]());

const target = (tls: TlsFiles = controllers.operator, options: Partial<Target> = {}): Target =>
  controllers.target({ tls, ...options });

async function change(method: string, path: string, body: unknown) {
  const { status, body: answer } = await call(target(), method, path, { body, key: randomUUID() });
  expect(status, JSON.stringify(answer)).toBeLessThan(300);
  return answer;
}

async function agent(tls: TlsFiles): Promise<TestSocket> {
  const socket = await TestSocket.open(target(tls), '/v1/agent');
  socket.say({ type: 'hello', session: randomUUID(), version: '0.1.0' });
  await until('its machine', async () => socket.messages.some(({ type }) => type === 'operations'));
  return socket;
}

test('another machine’s operation is not told to it, and what it says of that is taken for nothing', async () => {
  const before = await controllers.state.operationResults.findOne({ _id: `${operation}/2` });
  const socket = await agent(liar);
  const id = Number(operation);
  const end = { state: 'done', exitCode: 0, signal: '', message: '', stdoutBytes: 0, stderrBytes: 0 };
  for (const [ref, report] of [
    { kind: 'ask' },
    { kind: 'claim' },
    { kind: 'output', sequence: 0, stream: 'stdout', data: 'AAAA' },
    { kind: 'end', ...end },
  ].entries()) {
    socket.say({ type: 'operation', id, ref, report, machine: '2' });
    await until('an answer', async () => socket.messages.some((message) => message.ref === ref));
  }
  const told = socket.messages.filter(({ type }) => type === 'operation');
  expect(told).toEqual([0, 1, 2, 3].map((ref) => ({ type: 'operation', id, ref, result: null })));
  expect(socket.messages.find(({ type }) => type === 'operations')).toEqual({ type: 'operations', open: [] });
  expect(await controllers.state.operationResults.findOne({ _id: `${operation}/2` })).toEqual(before);
  expect(await controllers.state.operationOutput.countDocuments()).toBe(0);
  socket.socket.terminate();
});

test('its own token lets it in as no other machine, and another’s key is issued nothing in another name', async () => {
  const { key, request } = await createKeyAndRequest();
  const nonce = nonces.get('1') ?? '';
  const mine = { machine: '1', nonce, token: bootToken(controllers.bootKey, nonce), request };
  const from = target({ ca: controllers.ca }, { localAddress: '127.66.0.1' });
  for (const lie of [{ machine: '2' }, { machine: '0' }, { nonce: nonces.get('2') ?? '' }]) {
    expect(await call(from, 'POST', '/v1/enrol', { body: { ...mine, ...lie } })).toMatchObject({
      status: 403,
      body: { code: 'enrol-refused' },
    });
  }
  const { body } = await call(from, 'POST', '/v1/enrol', { body: mine });
  const own = { ca: controllers.ca, certificate: String(body.certificate), key };
  const renewed = await call(target(own), 'POST', '/v1/renew', { body: { request }, headers: { 'x-machine': '2' } });
  expect(subjectOf(String(renewed.body.certificate))).toMatchObject({ cn: 'machine-1', ou: 'agent' });
});

test('of two keys at once that show one token one is let in', async () => {
  const nonce = nonces.get('2') ?? '';
  const from = target({ ca: controllers.ca }, { localAddress: '127.66.0.2' });
  const answers = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const { request } = await createKeyAndRequest();
      const body = { machine: '2', nonce, token: bootToken(controllers.bootKey, nonce), request };
      return (await call(from, 'POST', '/v1/enrol', { body })).status;
    }),
  );
  expect(answers.sort()).toEqual([200, 403, 403, 403, 403, 403]);
});

test.each([
  ['a name with a NUL', { ...REPORT, 'a\0b': 1 }],
  ['a name of MongoDB’s', { ...REPORT, mongod: { version: '6', parameters: { $where: 'x' } } }],
  ['depth without end', { ...REPORT, more: JSON.parse('['.repeat(1000) + ']'.repeat(1000)) }],
  ['a number beyond all', { ...REPORT, addressVersion: 2 ** 40 }],
  ['more than it has to say', { ...REPORT, sees: Array.from({ length: 5000 }, (_, n) => String(n)) }],
])('a report with %s costs it the connection, and keeps nobody else’s from being written', async (_, report) => {
  const other = await agent(honest);
  const socket = await agent(liar);
  socket.say({ type: 'presence', seq: 1, report });
  other.say({ type: 'presence', seq: 7, report: REPORT });
  expect(await socket.closed).toBe(1008);
  await until('the other one’s to be written', async () =>
    other.messages.some(({ type, seq }) => type === 'ack' && seq === 7),
  );
  expect(await controllers.state.presence.countDocuments({ _id: '1' })).toBe(0);
  other.socket.terminate();
});

test('what it says of itself makes it neither a controller nor finished', async () => {
  const socket = await agent(liar);
  const services = { api: { state: 'running', message: '', pid: 1, restarts: 0 } };
  const mongod = { version: '6.0.5', parameters: {}, member: 0 };
  socket.say({ type: 'presence', seq: 1, report: { ...REPORT, services, mongod, sees: ['0'], finished: true } });
  await until('it to be written', async () => socket.messages.some(({ type }) => type === 'ack'));
  const machine = await call(target(), 'GET', '/v1/machines/1');
  expect(machine.body).toMatchObject({ life: 'alive', jobs: ['host-units'], memberId: null });
  const { body } = await call(target(), 'GET', '/v1/status');
  expect((body.controllers as unknown as { machine: string }[]).map((each) => each.machine)).toEqual(['0']);
  expect(await call(target(liar), 'GET', '/v1/controller-keys')).toMatchObject({ status: 403 });
  socket.socket.terminate();
});

test.each([
  ['older', '0.0.1', {}, REPORT],
  ['newer', '9.9.9', { colour: 'red' }, { ...REPORT, moods: [{ colour: 'red' }] }],
])(
  'an agent that is %s than its controller is served, and which version it has is told',
  async (_, version, more, report) => {
    const socket = await TestSocket.open(target(honest), '/v1/agent');
    socket.say({ type: 'hello', session: randomUUID(), version, ...more });
    socket.say({ type: 'presence', seq: 1, report, ...more });
    await until('it to be heard', async () => socket.messages.some(({ type }) => type === 'ack'));
    expect(socket.messages.find(({ type }) => type === 'machine')).toMatchObject({ life: 'alive' });
    await until(
      'its version',
      async () => (await call(target(), 'GET', '/v1/machines/2')).body.agentVersion === version,
    );
    socket.socket.terminate();
  },
);
