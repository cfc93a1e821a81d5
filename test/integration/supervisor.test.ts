import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentFiles, makeDirectories } from '../../src/agent/files.js';
import type { Note } from '../../src/agent/status-log/status-log.js';
import { type Service, Supervisor } from '../../src/agent/supervisor.js';
import { markOf } from '../../src/process.js';
import { until } from '../support/home.js';

/** Real processes, of a few lines each. */
const STAYS = 'setInterval(() => {}, 1000)';
const ENDS_AT_ONCE = 'process.exit(3)';
const DOES_NOT_LEAVE = `process.on('SIGTERM', () => {}); ${STAYS}`;

let directory: string;
let started: Supervisor[] = [];
let noted: string[][] = [];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'quorate-supervisor-'));
  await makeDirectories(agentFiles(directory));
});
afterEach(async () => {
  for (const supervisor of started) supervisor.want(false);
  await Promise.all(started.map((supervisor) => supervisor.stopped()));
  started = [];
  noted = [];
  await rm(directory, { recursive: true });
});

function supervise(code: string, options: Partial<Service> = {}): Supervisor {
  const service: Service = {
    name: 'api',
    stopWithinMs: 300,
    prepare: async () => ({ file: process.execPath, args: ['-e', code] }),
    ready: async () => {},
    reload: async () => {},
    ...options,
  };
  const note: Note = (what, status, message) => noted.push([what, status, message]);
  const supervisor = new Supervisor(service, agentFiles(directory), () => {}, note);
  started.push(supervisor);
  return supervisor;
}

const running = (supervisor: Supervisor) =>
  until('it runs', async () => supervisor.status().state === 'running' && supervisor.pid, 10);

test('one that is killed is started again, and counted', async () => {
  const supervisor = supervise(STAYS);
  supervisor.want(true);
  const pid = await running(supervisor);
  process.kill(pid, 'SIGKILL');
  await until(
    'another process',
    async () => supervisor.pid !== null && supervisor.pid !== pid && supervisor.running,
    10,
  );
  expect(supervisor.status()).toMatchObject({ state: 'running', restarts: 1 });
  expect(noted).toEqual([
    ['api', 'running', `It runs as process ${pid}.`],
    ['api', 'failed', 'It ended with SIGKILL; see api.log.'],
    ['api', 'running', `It runs as process ${supervisor.pid}.`],
  ]);
});

test('one that is to stop, or is killed to begin again, notes why', async () => {
  const supervisor = supervise(STAYS);
  supervisor.want(true);
  await running(supervisor);
  await supervisor.kill('it hung');
  await running(supervisor);
  supervisor.want(false, 'nobody needs it');
  await supervisor.stopped();
  expect(noted.map(([, status, message = '']) => [status, message.replace(/\d+/, 'N')])).toEqual([
    ['running', 'It runs as process N.'],
    ['stopped', 'It has left: it hung.'],
    ['running', 'It runs as process N.'],
    ['stopped', 'It has left: nobody needs it.'],
  ]);
});

test('one that ends at once is held back, and says why', async () => {
  const supervisor = supervise(ENDS_AT_ONCE);
  supervisor.want(true);
  await until(
    'it backs off',
    async () => supervisor.status().state === 'backing-off' && supervisor.status().restarts > 1,
  );
  expect(supervisor.status().message).toBe('ended with exit code 3; see api.log');
});

test('one that cannot be prepared is held back, and says why', async () => {
  const prepare = async () => Promise.reject(new Error('nobody knows where Temporal is'));
  const supervisor = supervise(STAYS, { prepare });
  supervisor.want(true);
  await until('it backs off', async () => supervisor.status().state === 'backing-off');
  expect(supervisor.status().message).toBe('could not be started: nobody knows where Temporal is');
});

test('one that does not leave is killed, and is gone when that is said', async () => {
  const supervisor = supervise(DOES_NOT_LEAVE, { ready: () => new Promise((resolve) => setTimeout(resolve, 300)) });
  supervisor.want(true);
  const pid = await running(supervisor);
  supervisor.want(false);
  await supervisor.stopped();
  expect(await markOf(pid)).toBeNull();
  expect(supervisor.status()).toMatchObject({ state: 'stopped', pid: null, restarts: 0 });
});

test('wanted again while it leaves, the old one leaves before the new one starts', async () => {
  const supervisor = supervise(DOES_NOT_LEAVE);
  supervisor.want(true);
  const pid = await running(supervisor);
  supervisor.want(false);
  supervisor.want(true);
  await until('another process', async () => supervisor.pid !== null && supervisor.pid !== pid, 10);
  expect(await markOf(pid)).toBeNull();
});

test('what an agent that was killed left behind is ended before another is started', async () => {
  const first = supervise(STAYS);
  first.want(true);
  const left = await running(first);
  // A second agent on the same disk, as after a kill.
  const second = supervise(STAYS);
  const leftBefore = (await markOf(left)) !== null;
  second.want(true);
  await running(second);
  expect([leftBefore, await markOf(left)]).toEqual([true, null]);
});
