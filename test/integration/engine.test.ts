import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Engine,
  type EngineStatus,
  engineStatus,
  ensureEngine,
  removeEngine,
  stopEngine,
} from '../../src/engine/engine.js';
import { freePort } from '../../src/engine/ports.js';
import { builtFile } from '../../src/package.js';
import { type Dirs, dirsOf } from '../../src/store/dirs.js';
import { connectTemporal } from '../../src/temporal/connect.js';
import { searchAttributes } from '../../src/temporal/names.js';
import { kill } from '../support/kill.js';
import { COMMANDS } from '../support/programs.js';

let home: string;
let dirs: Dirs;
const ambient = { ...process.env };

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'quorate-engine-'));
  for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
  process.env.QUORATE_HOME = home;
  // The servers come from the cache that all tests share; the rest is in a home of its own.
  dirs = { ...dirsOf(process.env), toolchain: dirsOf({ ...process.env, QUORATE_HOME: undefined }).toolchain };
});

afterEach(async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
  Object.assign(process.env, ambient);
  try {
    await removeEngine(dirs);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

/** What a command of another shell does: a process that starts the engine and ends. */
function ensureElsewhere(): Promise<Engine> {
  const script = `
    const { ensureEngine } = await import(${JSON.stringify(builtFile('src', 'engine', 'engine.js'))});
    process.stdout.write(JSON.stringify(await ensureEngine(${JSON.stringify(dirs)})));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(stdout)) : reject(new Error(`ended with ${code}`))));
  });
}

const isGone = (pid: number): boolean => {
  try {
    return /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
};

async function until(what: string, probe: () => boolean | Promise<boolean>, seconds = 20): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await probe())) {
    if (performance.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`);
    await sleep(50);
  }
}

function pids({ pid, workerPid }: EngineStatus): [number, number] {
  if (pid === null || workerPid === null) throw new Error('the engine does not run');
  return [pid, workerPid];
}

async function failure(attempt: Promise<unknown>) {
  return attempt.then(
    () => ({ code: 'none', message: '' }),
    (error: { code: string; message: string }) => error,
  );
}

test('is started once, outlives the command, and is found by every later one', async () => {
  const [first, second] = await Promise.all([ensureElsewhere(), ensureElsewhere()]);
  expect(second).toEqual(first);
  expect(first.embedded).toBe(true);
  const status = await engineStatus(dirs);
  expect(status).toMatchObject({
    running: true,
    worker: true,
    address: first.address,
    uiUrl: first.uiUrl,
    problem: null,
  });
  expect(await ensureEngine(dirs)).toEqual(first);
  expect(pids(await engineStatus(dirs))).toEqual(pids(status));
  expect((await fetch(first.uiUrl as string)).status).toBe(200);

  const temporal = await connectTemporal({ target: first.connection });
  const { customAttributes } = await temporal.connection.operatorService.listSearchAttributes({ namespace: 'default' });
  expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(Object.values(searchAttributes)));
  await temporal.connection.close();

  expect(await stopEngine(dirs)).toBe(true);
  expect(pids(status).map(isGone)).toEqual([true, true]);
  expect(await engineStatus(dirs)).toMatchObject({ running: false, worker: false, address: first.address });
  expect(await stopEngine(dirs)).toBe(false);
});

test('killed, is started again by the next command where it was, and has lost nothing', async () => {
  const before = await ensureEngine(dirs);
  const temporal = await connectTemporal({ target: before.connection });
  const id = 'kept:membership';
  await temporal.client.workflow.start('nobody', { taskQueue: 'nobody', workflowId: id, memo: { kept: 'yes' } });
  await temporal.connection.close();

  const [server, worker] = pids(await engineStatus(dirs));
  process.kill(server, 'SIGKILL');
  process.kill(worker, 'SIGKILL');
  await until('both to be gone', () => isGone(server) && isGone(worker));
  expect(await engineStatus(dirs)).toMatchObject({ running: false, worker: false });

  const after = await ensureElsewhere();
  expect(after).toEqual(before);
  const again = await connectTemporal({ target: after.connection });
  const description = await again.client.workflow.getHandle(id).describe();
  expect(description.status.name).toBe('RUNNING');
  expect(description.memo).toEqual({ kept: 'yes' });
  await again.connection.close();
  expect(await engineStatus(dirs)).toMatchObject({ running: true, worker: true });
});

test('a worker that dies comes back by itself, and its supervisor by the next command, leaving no second one', async () => {
  await ensureEngine(dirs);
  const [, supervisor] = pids(await engineStatus(dirs));
  const workers = () =>
    readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number);
  const commandOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  await until('the worker', () => workers().length === 1);
  const [first] = workers();
  kill(first);
  await until('another worker', () =>
    workers().some((pid) => pid !== first && COMMANDS.engineWorker.test(commandOf(pid))),
  );
  const [second = 0] = workers();

  process.kill(supervisor, 'SIGKILL');
  await until('its supervisor to be gone', () => isGone(supervisor));
  await ensureEngine(dirs);
  expect(isGone(second)).toBe(true);
  expect((await engineStatus(dirs)).workerPid).not.toBe(supervisor);
});

test('a running one whose record was lost is taken back, a damaged record is named', async () => {
  const before = await ensureEngine(dirs);
  const [server] = pids(await engineStatus(dirs));
  const record = path.join(dirs.engine, 'engine.json');
  rmSync(record);
  expect(await ensureEngine(dirs)).toEqual(before);
  expect(pids(await engineStatus(dirs))[0]).toBe(server);

  const text = readFileSync(record, 'utf8');
  writeFileSync(record, text.slice(0, 20));
  expect(await failure(ensureEngine(dirs))).toMatchObject({ code: 'engine-record-damaged' });
  writeFileSync(record, text);
});

describe('is refused, with who is in the way,', () => {
  test('a port in use', async () => {
    // Not one of those that the system gives to anybody's outgoing connection: it is to be free again afterwards.
    const port = await freePort();
    const taken = net.createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const refusal = await failure(ensureEngine(dirs, { uiPort: port }));
    expect(refusal.code).toBe('port-in-use');
    expect(refusal.message).toContain(
      `Port ${port} on 127.0.0.1, which the engine needs, is in use by process ${process.pid} (`,
    );
    taken.close();
    await new Promise((resolve) => taken.once('close', resolve));
    expect((await ensureEngine(dirs, { uiPort: port })).uiUrl).toBe(`http://127.0.0.1:${port}`);
    expect(await failure(ensureEngine(dirs, { port }))).toMatchObject({ code: 'engine-running' });
  });

  test('its database held by another', async () => {
    await ensureEngine(dirs);
    await stopEngine(dirs);
    const database = openSync(path.join(dirs.engineData, 'temporal.db'), 'r');
    const holder = spawn('sleep', ['60'], { stdio: [database, 'ignore', 'ignore'] });
    await new Promise((resolve) => holder.once('spawn', resolve));
    const refusal = await failure(ensureEngine(dirs));
    holder.kill('SIGKILL');
    expect(refusal.code).toBe('engine-database-locked');
    expect(refusal.message).toContain(`process ${holder.pid} (sleep 60)`);
  });
});

test('a Temporal of the operator’s own is used as configured, and its faults are told apart', async () => {
  const { address } = await ensureEngine(dirs);
  process.env.TEMPORAL_ADDRESS = address;
  expect(await ensureEngine(dirs)).toMatchObject({ embedded: false, address, namespace: 'default', uiUrl: null });
  expect(await engineStatus(dirs)).toMatchObject({ running: true, worker: true, embedded: false, database: null });
  expect(await failure(ensureEngine(dirs, { port: 7233 }))).toMatchObject({ code: 'engine-configured', exit: 2 });

  process.env.TEMPORAL_NAMESPACE = 'nowhere';
  expect(await failure(ensureEngine(dirs))).toMatchObject({
    code: 'temporal-namespace',
    message: `Temporal at ${address} has no namespace "nowhere".`,
  });
  delete process.env.TEMPORAL_NAMESPACE;
  process.env.TEMPORAL_ADDRESS = '127.0.0.1:9';
  expect(await failure(connectTemporal({ timeoutMs: 1_000 }))).toMatchObject({ code: 'temporal-unreachable' });
  expect(await engineStatus(dirs)).toMatchObject({ running: false, problem: expect.stringContaining('127.0.0.1:9') });
});
