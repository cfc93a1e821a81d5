import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLOSE } from '../../src/api/protocol.js';
import type { StatusLog } from '../../src/api/status-log.js';
import type { TlsFiles } from '../../src/client/client.js';
import { STATUS_KEPT } from '../../src/state/status-log.js';
import { readKept, sweep } from '../../src/state/sweep.js';
import { call, TestSocket } from '../support/calls.js';
import { TestControllers } from '../support/controllers.js';
import { until } from '../support/home.js';

/** What two controllers do with what agents say of their status. The agents are sockets that say what a test wants said. */
const MACHINES = 30;
let controllers: TestControllers;
const certificates = new Map<string, TlsFiles>();

beforeAll(async () => {
  controllers = await TestControllers.serving(2);
  await controllers.start('1');
  const body = { count: MACHINES };
  expect((await call(controllers.target(), 'POST', '/v1/machines', { body, key: randomUUID() })).status).toBe(201);
  for (let id = 1; id <= MACHINES; id += 1) {
    certificates.set(`${id}`, await controllers.certificate(`machine-${id}`, 'agent'));
  }
});
afterAll(() => controllers?.[Symbol.asyncDispose]());

const documents = (machine: string) => controllers.state.statusLog.find({ machine }).sort({ number: 1 }).toArray();
const entry = (number: number, message = `${number}`) => ({
  number,
  at: 1_700_000_000_000 + number,
  what: 'api',
  status: 'failed',
  message,
});
const upTo = ({ messages }: TestSocket) =>
  messages.flatMap((message) => (message.type === 'status-log' ? [message.upTo] : []));

/** An agent that has been told that its status is taken. */
async function agent(machine: string, controller: '0' | '1' = '0'): Promise<TestSocket> {
  const socket = await TestSocket.open(
    controllers.target({ tls: certificates.get(machine) as TlsFiles }, controller),
    '/v1/agent',
  );
  socket.say({ type: 'hello', session: randomUUID(), version: '0.1.0' });
  await until('the word that its status is taken', async () => upTo(socket)[0] === 0);
  return socket;
}

async function say(socket: TestSocket, entries: readonly unknown[], last: number): Promise<void> {
  socket.say({ type: 'status-log', entries });
  await until(`the word that ${last} is written`, async () => upTo(socket).at(-1) === last);
}

async function shown(machine: string, query = ''): Promise<StatusLog['entries']> {
  const { body, status } = await call(controllers.target(), 'GET', `/v1/machines/${machine}/status-log${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.entries as unknown as StatusLog['entries'];
}

test('an environment of before has the collection with the first entry, as a new one', async () => {
  const plan = async () => ({
    options: await controllers.state.statusLog.options(),
    indexes: await controllers.state.statusLog.indexes(),
  });
  const { options, indexes } = await plan();
  await controllers.state.statusLog.drop();
  expect(await shown('1')).toEqual([]);
  expect((await readKept(controllers.state)).statusLogs).toEqual([]);
  const socket = await agent('1');
  await say(socket, [entry(1)], 1);
  const made = await plan();
  expect(made.options).toEqual(options);
  expect(options).toHaveProperty('validator');
  expect(made.indexes).toEqual(indexes);
  expect(indexes.map(({ expireAfterSeconds }) => expireAfterSeconds)).toContain(STATUS_KEPT.days * 86_400);
  socket.socket.terminate();
});

test('what is said again at another controller is taken once, and a late word changes nothing', async () => {
  const [first, second] = [await agent('2', '0'), await agent('2', '1')];
  await say(first, [entry(10), entry(11)], 11);
  const before = await documents('2');
  await say(second, [entry(10), entry(11), entry(12)], 12);
  await say(first, [entry(11, 'something else')], 11);
  const after = await documents('2');
  expect(after.map(({ number }) => number)).toEqual([10, 11, 12]);
  expect(after.slice(0, 2)).toEqual(before);
  expect(await shown('2')).toMatchObject([{ number: 12 }, { number: 11, message: '11' }, { number: 10 }]);
  expect(await shown('2', '?limit=1')).toMatchObject([
    { number: 12, what: 'api', status: 'failed', message: '12', at: '2023-11-14T22:13:20.012Z' },
  ]);
  for (const { socket } of [first, second]) socket.terminate();
});

test('an agent speaks of its own machine alone, and what is no entry costs it the connection', async () => {
  const liar = await agent('3');
  await say(liar, [{ ...entry(1), machine: '4', _id: '4/1' }], 1);
  expect(await documents('4')).toEqual([]);
  expect(Object.keys((await documents('3'))[0] ?? {}).sort()).toEqual(
    ['_id', 'arrivedAt', 'at', 'machine', 'message', 'number', 'status', 'what'].sort(),
  );
  liar.socket.terminate();
  for (const entries of [
    [],
    [{ ...entry(0) }],
    [{ ...entry(2), at: -1 }],
    [{ ...entry(2), at: 9e15 }],
    [{ ...entry(2), number: 2 ** 60 }],
    [{ ...entry(2), message: 'x'.repeat(501) }],
    Array.from({ length: 51 }, (_, n) => entry(n + 1)),
  ]) {
    const socket = await agent('3');
    socket.say({ type: 'status-log', entries });
    expect(await socket.closed).toBe(CLOSE.badMessage);
  }
  expect(await documents('3')).toHaveLength(1);
});

test('many agents that speak at once are few writes', async () => {
  const ids = Array.from({ length: MACHINES - 9 }, (_, n) => `${n + 10}`);
  const agents = await Promise.all(ids.map((id) => agent(id)));
  await Promise.all(agents.map((socket) => say(socket, [entry(1), entry(2)], 2)));
  const all = await controllers.state.statusLog.find({ machine: { $in: ids } }).toArray();
  expect(all).toHaveLength(2 * ids.length);
  expect(new Set(all.map(({ arrivedAt }) => arrivedAt.getTime())).size).toBeLessThanOrEqual(3);
  for (const { socket } of agents) socket.terminate();
});

test('who speaks without end is written once a second', async () => {
  const socket = await agent('5');
  for (const number of [1, 2, 3]) await say(socket, [entry(number)], number);
  const at = (await documents('5')).map(({ arrivedAt }) => arrivedAt.getTime());
  // Two pauses of a second; the machine may be slow in between.
  expect((at[2] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(1000);
  socket.socket.terminate();
});

test('the cleaner leaves the newest, and all of a log that is not too long', async () => {
  const { state } = controllers;
  const socket = await agent('6');
  await say(socket, [entry(7)], 7);
  const one = (await documents('6'))[0] ?? expect.fail('nothing was written');
  const more = Array.from({ length: STATUS_KEPT.perMachine + 4 }, (_, n) => n + 8);
  await state.statusLog.insertMany(more.map((number) => ({ ...one, _id: `6/${number}`, number })));
  const { statusLogs } = await readKept(state);
  expect(statusLogs).toEqual([{ machine: '6', entries: STATUS_KEPT.perMachine + 5 }]);
  expect(await sweep(state, { epoch: 1 }, 'statusLog', ['2', '6'])).toBe(5);
  expect((await documents('6')).map(({ number }) => number)).toEqual(more.slice(-STATUS_KEPT.perMachine));
  expect(await documents('2')).toHaveLength(3);
  expect((await readKept(state)).statusLogs).toEqual([]);
  socket.socket.terminate();
});

test('what is known of a machine outlives it, and of one that never was there is nothing', async () => {
  await controllers.state.machines.deleteOne({ _id: '2' });
  expect(await shown('2')).toHaveLength(3);
  const nobody = await call(controllers.target(), 'GET', '/v1/machines/99/status-log');
  expect(nobody).toMatchObject({ status: 404, body: { code: 'not-found' } });
});
