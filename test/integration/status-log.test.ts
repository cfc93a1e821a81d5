import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseUnsent } from '../../src/agent/status-log/unsent.js';
import type { StatusLog } from '../../src/api/status-log.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';
import { kill } from '../support/kill.js';
import { COMMANDS } from '../support/programs.js';

/** What the agent of the only controller tells of it, and what it could not tell when it happened. */
type Entry = StatusLog['entries'][number];
let env: TestEnvironment;
let file: string;

beforeAll(async () => {
  env = await TestEnvironment.bootstrap(1);
  const [found] = readdirSync(env.home.dir, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith(path.join('disk', 'status-log')),
  );
  file = path.join(env.home.dir, found ?? expect.fail('there is no status log on a disk'));
}, 240_000);
afterAll(() => env?.close(), 120_000);

/** In no order: a service that is slow to begin does not hold up the next for long. */
const ALL_RUN = ['api running', 'mongod running', 'worker running'];

/** Oldest first. */
async function shown(): Promise<Entry[]> {
  const { entries } = (await env.client.request<StatusLog>('GET', '/v1/machines/0/status-log?limit=1000')).body;
  return entries.reverse();
}
const words = (entries: readonly Entry[]) => entries.map(({ what, status }) => `${what} ${status}`);
const since = (entries: readonly Entry[], before: readonly Entry[]) => entries.slice(before.length);
const waiting = () => parseUnsent(readFileSync(file, 'utf8')).entries;
const told = (what: string, status: string) =>
  waiting().filter((entry) => entry.what === what && entry.status === status);

/** Found by what runs, as nobody can be asked. */
function pidOf(what: keyof typeof COMMANDS): number {
  const pids = env.home.processes().flatMap(({ pid, command }) => (COMMANDS[what].test(command) ? [pid] : []));
  return pids.length === 1 ? (pids[0] as number) : 0;
}

const another = (what: keyof typeof COMMANDS, before: number) =>
  until(`another ${what}`, async () => {
    const pid = pidOf(what);
    return pid !== before && pid;
  });

/** Everything the machine has to say is written; each of it once and in order. */
async function settled(): Promise<Entry[]> {
  return await until('all of it to be told', async () => {
    const entries = await shown();
    const numbers = entries.map(({ number }) => number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    const said = entries.map(({ at, what, status, message }) => [at, what, status, message].join(' '));
    expect(new Set(said).size).toBe(said.length);
    return waiting().length === 0 && entries;
  });
}

/** What an agent has said since it began last; nothing before it has. */
const sinceItBegan = (entries: readonly Entry[]) =>
  words(entries).slice(words(entries).lastIndexOf('agent started') + 1);

const allRun = (before: readonly Entry[]) =>
  until('another agent, and all to run', async () => {
    const said = since(await shown(), before);
    return words(said).includes('agent started') && ALL_RUN.every((one) => sinceItBegan(said).includes(one));
  });

test('an agent tells that it began, and what it started', async () => {
  await allRun([]);
  const entries = await settled();
  expect(words(entries)[0]).toBe('agent started');
  expect(sinceItBegan(entries).sort()).toEqual(ALL_RUN);
  for (const { at, arrivedAt } of entries) expect(Date.parse(arrivedAt)).toBeGreaterThan(Date.parse(at) - 60_000);
});

test('what happens while no API server answers is told afterwards, once and in order', async () => {
  const before = await settled();
  const api = pidOf('api');
  kill(api, 'SIGSTOP');
  for (let round = 1; round <= 2; round += 1) {
    const worker = pidOf('worker');
    kill(worker);
    await another('worker', worker);
    await until(`it to be written down ${round} times`, async () => told('worker', 'running').length === round);
  }
  expect(waiting().map(({ what, status }) => `${what} ${status}`)).toEqual([
    'worker failed',
    'worker running',
    'worker failed',
    'worker running',
  ]);
  kill(api, 'SIGKILL');
  await another('api', api);
  await until('the API to run', async () => words(since(await shown(), before)).includes('api running'));
  const entries = since(await settled(), before);
  expect(words(entries)).toEqual([
    'worker failed',
    'worker running',
    'worker failed',
    'worker running',
    'api failed',
    'api running',
  ]);
  expect(entries[0]?.message).toBe('It ended with SIGKILL; see worker.log.');
});

test('what an agent was killed with between its write and the answer is there once', async () => {
  const before = await settled();
  const [mongod, agent, worker] = [pidOf('mongod'), pidOf('agent'), pidOf('worker')];
  kill(mongod, 'SIGSTOP');
  kill(worker);
  // It is sent as soon as it is written down, and the API server waits for its database.
  await until('it to be written down', async () => told('worker', 'failed').length === 1);
  const [sent] = told('worker', 'failed');
  kill(agent, 'SIGSTOP');
  kill(mongod, 'SIGCONT');
  await until('the environment to have it', async () => (await shown()).some(({ number }) => number === sent?.number));
  expect(told('worker', 'failed')).toEqual([sent]);
  kill(agent);
  await another('agent', agent);
  await allRun(before);
  const entries = since(await settled(), before);
  expect(entries[0]?.number).toBe(sent?.number);
  // It may have been started again before its agent was stopped.
  expect(
    words(entries)
      .filter((one, n) => !(n === 1 && one === 'worker running'))
      .slice(0, 2),
  ).toEqual(['worker failed', 'agent started']);
  expect(sinceItBegan(entries).sort()).toEqual(ALL_RUN);
});

test('how a machine was stopped is told when it is there again', async () => {
  const before = await settled();
  await env.home.ok('cloud', 'stop', '0');
  await env.home.ok('cloud', 'start', '0');
  await allRun(before);
  const entries = since(await settled(), before);
  expect(words(entries).slice(0, 5)).toEqual([
    'agent stopping',
    'worker stopped',
    'api stopped',
    'mongod stopped',
    'agent started',
  ]);
  expect(sinceItBegan(entries).sort()).toEqual(ALL_RUN);
  expect(entries[3]?.message).toBe('It has left: the agent stops.');
});

test('the command shows the latest, as a table and for programs', async () => {
  const all = await settled();
  const table = (await env.home.ok('show-status-log', '0', '-n', '3')).trimEnd().split('\n');
  expect(table[0]?.split(/\s+/)).toEqual(['TIME', 'WHAT', 'STATUS', 'MESSAGE']);
  expect(table).toHaveLength(4);
  expect(table.at(-1)).toMatch(/^\S+Z +worker +running +It runs as process \d+\.$/);
  expect(await env.home.json('show-status-log', '0', '-n', '3')).toEqual(all.slice(-3).reverse());
  expect(await env.home.ok('show-status-log', '0', '--format', 'yaml')).toContain('status: running');
  expect(await env.home.run('show-status-log', '0', '-n', '0')).toMatchObject({ code: 2 });
  const nobody = await env.home.run('show-status-log', '77');
  expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no machine 77.') });
});
