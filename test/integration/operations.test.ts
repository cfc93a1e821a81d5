import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Operation, Operations } from '../../src/api/operations.js';
import { packageRoot } from '../../src/package.js';
import { markOf } from '../../src/process.js';
import { TestEnvironment } from '../support/environment.js';
import { processesOf, until } from '../support/home.js';
import { kill } from '../support/kill.js';
import { COMMANDS } from '../support/programs.js';

/** One environment: first with one controller, then with three. Nobody is replaced unless the cloud says terminated. */
let env: TestEnvironment;
/** Where commands run on machine 0, and leave what they leave. */
let home0: string;

beforeAll(async () => {
  env = await TestEnvironment.bootstrap(1, ['stopped-grace=1h', 'grace=1h']);
  home0 = (await bytes('exec', '--machine', '0', '--', 'pwd')).stdout.toString().trim();
});
afterAll(() => env?.close());

/** The command line with its output as bytes. */
function begin(...args: string[]) {
  const bin = join(packageRoot(), 'bin/quorate.js');
  const child = spawn(process.execPath, [bin, ...args], { env: env.home.env, stdio: ['ignore', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (data) => out.push(data));
  child.stderr.on('data', (data) => err.push(data));
  const seen = () => ({ stdout: Buffer.concat(out), stderr: String(Buffer.concat(err)) });
  const done = new Promise<{ code: number | null; stdout: Buffer; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, ...seen() }));
  });
  return { child, seen, done };
}
const bytes = (...args: string[]) => begin(...args).done;
const on0 = (script: string, ...options: string[]) => begin('exec', '--machine', '0', ...options, '--', script);
const left = (name: string) => (existsSync(join(home0, name)) ? readFileSync(join(home0, name), 'utf8') : null);
const show = (id: string) => env.home.json<Operation>('show-operation', id);
const latest = async () => (await env.home.json<Operations['operations']>('operations', '--limit', '1'))[0]?.id ?? '';
const runs = async (name: string) => (await markOf(Number(left(name)))) !== null;

describe('one controller', () => {
  test('output comes as it is written, the exit code is the command’s, nothing is on stdin', async () => {
    const { seen, done } = on0(
      'cat; echo first; until [ -e go ]; do sleep 0.05; done; echo last; echo oops >&2; exit 42',
    );
    await until('the first line before the end', async () => String(seen().stdout) === 'first\n', 20);
    await env.home.ok('exec', '--machine', '0', '--', 'touch', 'go');
    expect(await done).toEqual({ code: 42, stdout: Buffer.from('first\nlast\n'), stderr: 'oops\n' });
  });

  test('half a megabyte of all 256 bytes comes out as it went in', async () => {
    const size = 512 * 1024;
    const program = `process.stdout.write(Uint8Array.from({ length: ${size} }, (_, i) => (i * 7 + (i >> 8)) & 255))`;
    const { code, stdout, stderr } = await bytes('exec', '--machine', '0', '--', process.execPath, '-e', program);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.equals(Buffer.from(Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 255)))).toBe(true);
  });

  test('more than is kept is cut and counted, and the command is not held up', async () => {
    const { code, stdout, stderr } = await on0('head -c 6000000 /dev/zero; echo end > limit').done;
    expect(code).toBe(0);
    expect(stdout.length).toBe(4 * 1024 * 1024);
    expect(stderr).toContain('Its output is cut: 4 MiB of 5.7 MiB were kept.');
    expect(left('limit')).toBe('end\n');
  });

  test('at its time limit the whole group is ended', async () => {
    const { code, stderr } = await on0(
      'sh -c \'trap "" TERM; echo $$ > stubborn; while :; do sleep 0.1; done\' & echo $$ > leader; sleep 60',
      '--timeout',
      '1s',
    ).done;
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('machine 0: timed out: It was ended at its time limit.'),
    ]);
    expect([await runs('leader'), await runs('stubborn')]).toEqual([false, false]);
  });

  test('Ctrl-C detaches and says how to go on; cancelled, it ends', async () => {
    const { child, seen, done } = on0('echo $$ > detached; echo here; sleep 60');
    await until('its first line', async () => seen().stdout.length > 0, 20);
    child.kill('SIGINT');
    const { code, stderr } = await done;
    const id = await latest();
    expect(code).toBe(130);
    expect(stderr).toContain(`Go on with: quorate show-operation ${id} --output`);
    expect(await runs('detached')).toBe(true);
    const again = begin('show-operation', id, '--output');
    await until('the same line again', async () => String(again.seen().stdout) === 'here\n', 20);
    expect(await env.home.ok('cancel-operation', id)).toContain('is being ended on machine 0');
    expect(await again.done).toMatchObject({ code: 1, stderr: expect.stringContaining('machine 0: cancelled') });
    expect(await runs('detached')).toBe(false);
    expect(await show(id)).toMatchObject({ state: 'cancelled', cancelledBy: expect.stringMatching(/./) });
    expect(await env.home.ok('cancel-operation', id)).toBe(`Operation ${id} has ended: cancelled.\n`);
  });

  test('in the background: its number, at once; then its output', async () => {
    const { code, stdout } = await on0('sleep 1; echo done', '--background').done;
    const id = String(stdout).trim();
    expect([code, id]).toEqual([0, expect.stringMatching(/^\d+$/)]);
    expect(await bytes('show-operation', id, '--output')).toMatchObject({ code: 0, stdout: Buffer.from('done\n') });
    expect(await env.home.ok('operations')).toMatch(new RegExp(`^${id} +done `, 'm'));
    expect(await env.home.ok('cancel-operation', id)).toContain('had ended already (done); nothing was changed');
  });

  test('the same request is done once, and with other contents refused', async () => {
    const idempotencyKey = randomUUID();
    const body = { command: ['/bin/sh', '-c', 'echo once >> once'], machines: ['0'] };
    const ask = () => env.client.request<Operation>('POST', '/v1/operations', { body, idempotencyKey });
    const [first, second] = await Promise.all([ask(), ask()]);
    expect(second.body.id).toBe(first.body.id);
    await until('its end', async () => (await show(first.body.id)).state === 'done', 20);
    expect(left('once')).toBe('once\n');
    const other = { ...body, command: ['true'] };
    await expect(env.client.request('POST', '/v1/operations', { body: other, idempotencyKey })).rejects.toMatchObject({
      code: 'key-reused',
    });
  });

  test('a hundred at once: sixteen run, the others wait for their turn, more are refused, none is forgotten', async () => {
    const body = {
      command: ['/bin/sh', '-c', 'echo $$ >> many; until [ -e open ]; do sleep 0.1; done'],
      machines: ['0'],
    };
    const ask = () =>
      env.client.request<Operation>('POST', '/v1/operations', {
        body,
        idempotencyKey: randomUUID(),
        timeoutMs: 60_000,
      });
    const ids: string[] = [];
    for (let n = 0; n < 10; n += 1) {
      const answers = await Promise.all(Array.from({ length: 10 }, ask));
      ids.push(...answers.map((answer) => answer.body.id));
    }
    expect(new Set(ids).size).toBe(100);
    await expect(ask()).rejects.toMatchObject({ code: 'too-many-operations' });
    const begun = () => (left('many') ?? '').trim().split('\n').length;
    await until('sixteen to run', async () => begun() === 16, 30);
    const { operations } = (await env.client.request<Operations>('GET', '/v1/operations?limit=100')).body;
    expect(operations.filter(({ state }) => state === 'running')).toHaveLength(16);
    writeFileSync(join(home0, 'open'), '');
    await until(
      'all of them to be done',
      async () => {
        const { body } = await env.client.request<Operations>('GET', '/v1/operations?limit=100');
        return body.operations.every(({ id, state }) => ids.includes(id) && state === 'done');
      },
      90,
      500,
    );
    expect(begun()).toBe(100);
  });

  test.each([
    ['an unknown machine', ['--machine', '0,77', '--', 'true'], 1, /There is no machine 77; nothing was begun/],
    [
      'ten thousand machines, of which there is one',
      ['--machine', Array.from({ length: 10_000 }, (_, n) => n).join(','), '--', 'true'],
      1,
      /^quorate: There is no machine 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 9989 more; nothing was begun/,
    ],
    [
      'one machine more than that',
      ['--machine', Array.from({ length: 10_001 }, (_, n) => n).join(','), '--', 'true'],
      2,
      /10001 machines are too many for one command: at most 10000 are named/,
    ],
    ['a command that is not there', ['--machine', '0', '--', 'no-such', 'x'], 127, /There is no command no-such/],
    ['no machine', ['--', 'true'], 2, /either the machines are named, or all are meant/],
    ['no command', ['--machine', '0'], 2, /missing required argument 'command'/],
    ['no time', ['--machine', '0', '--timeout', '0', '--', 'true'], 2, /between 1s and 24h/],
  ])('%s', async (_, args, code, sentence) => {
    const run = await bytes('exec', ...args);
    expect(run).toMatchObject({ code, stdout: Buffer.alloc(0), stderr: expect.stringMatching(sentence) });
  });

  test('what no API takes: no command, a NUL in it, a number that is none', async () => {
    const ask = (body: unknown) => env.client.request('POST', '/v1/operations', { body, idempotencyKey: randomUUID() });
    for (const command of [[], ['a\0b'], [7]]) {
      await expect(ask({ command, machines: ['0'] })).rejects.toMatchObject({ code: 'bad-request' });
    }
    for (const id of ['0', '-1', 'x', '99999']) {
      await expect(env.client.request('GET', `/v1/operations/${id}`)).rejects.toMatchObject({ code: 'not-found' });
    }
    const output = `/v1/operations/${await latest()}/output?machine=77`;
    await expect(env.client.request('GET', output)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('its agent is killed: what it ran is ended, is unknown, and is not run again', async () => {
    const { seen, done } = on0('echo $$ > orphan; echo begun >> begun; echo begun; sleep 60; echo over >> begun');
    await until('its first line', async () => String(seen().stdout) === 'begun\n', 20);
    const agents = processesOf(env.home.dir).filter(({ command }) => COMMANDS.agent.test(command));
    expect(agents).toHaveLength(1);
    kill(agents[0]?.pid);
    const { code, stdout, stderr } = await done;
    expect([code, String(stdout)]).toEqual([1, 'begun\n']);
    expect(stderr).toContain('machine 0: unknown: The machine’s agent ended while it ran');
    expect(await runs('orphan')).toBe(false);
    // The agent that came after it takes new ones, and never this one.
    expect((await on0('echo next').done).stdout.toString()).toBe('next\n');
    expect(left('begun')).toBe('begun\n');
    expect(existsSync(join(home0, '..', 'operations', await latest()))).toBe(false);
  });
});

describe('three controllers', () => {
  beforeAll(async () => {
    await env.home.ok('enable-ha', '-n', '3');
    await env.whole(3);
  });

  test('on all machines: each line says whose it is, and programs get it as one value', async () => {
    const { code, stdout, stderr } = await bytes(
      'exec',
      '--all',
      '--',
      'echo $QUORATE_MACHINE; [ $QUORATE_MACHINE != 1 ]',
    );
    expect(String(stdout).trim().split('\n').sort()).toEqual(['0: 0', '1: 1', '2: 2']);
    expect([code, stderr]).toEqual([1, 'quorate: machine 1: exit code 1\n']);
    const told = await env.home.json<{ state: string; results: { machine: string; stdout: { text: string } }[] }>(
      ...['exec', '--machine', '0,2', 'echo', 'hello'],
    );
    expect(told.state).toBe('done');
    expect(told.results.map(({ machine, stdout: { text } }) => [machine, text])).toEqual([
      ['0', 'hello\n'],
      ['2', 'hello\n'],
    ]);
  });

  test('every API server is killed while it runs: it ran once, and its output is whole', async () => {
    // Until it is told to end: how long it takes until the third one is killed depends on the machine.
    const { seen, done } = on0('echo ran >> ran; until [ -e enough ]; do i=$((i+1)); echo line $i; sleep 0.1; done');
    for (const machine of ['0', '1', '2']) {
      const before = seen().stdout.length;
      await until('output to go on', async () => seen().stdout.length > before, 20);
      const pid = await env.pidOf(machine, 'api');
      kill(pid);
      await until('another API server', async () => (await env.pidOf(machine, 'api')) !== pid, 30);
    }
    writeFileSync(join(home0, 'enough'), '');
    const { code, stdout, stderr } = await done;
    expect([code, stderr]).toEqual([0, '']);
    const lines = String(stdout).split('\n').length - 1;
    expect(lines).toBeGreaterThan(3);
    expect(String(stdout)).toBe(Array.from({ length: lines }, (_, i) => `line ${i + 1}\n`).join(''));
    expect(left('ran')).toBe('ran\n');
  });

  test('a machine that is down is said at once; on all the others it runs; in the background it is waited for', async () => {
    const instance = await env.instanceOf('2');
    const running = begin('exec', '--machine', '2', '--', 'echo begun >> cut-off; echo begun; sleep 60');
    await until('its first line', async () => String(running.seen().stdout) === 'begun\n', 20);
    await env.cloud.powerOff(instance);
    await env.statusWhen('machine 2 to be down', ({ controllers }) =>
      controllers.some(({ machine, agent }) => machine === '2' && agent === 'down'),
    );
    const began = performance.now();
    const refused = await bytes('exec', '--machine', '0,2', '--', 'echo refused >> refused');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('The agent of machine 2 (down) does not answer'),
    });
    expect(performance.now() - began).toBeLessThan(5000);
    expect(left('refused')).toBeNull();
    const all = await bytes('exec', '--all', '--', 'echo here');
    expect(String(all.stdout).trim().split('\n').sort()).toEqual(['0: here', '1: here']);
    expect(all).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('machine 2: failed: Its agent does not answer'),
    });

    const late = await bytes('exec', '--machine', '2', '--timeout', '1s', '--background', '--', 'true');
    const waiting = await bytes('exec', '--machine', '2', '--background', '--', 'echo back');
    const failed = await until(
      'the end of one whose time is over',
      async () => {
        const operation = await show(String(late.stdout).trim());
        return operation.state === 'failed' ? operation : null;
      },
      20,
    );
    expect(failed.results[0]?.message).toBe('It was not begun within its time limit.');
    await until(
      'it to be said of the one that was running there',
      async () => running.seen().stderr.includes('machine 2: its agent does not answer (down)'),
      20,
    );
    await env.cloud.startAgain(instance);
    const back = await bytes('show-operation', String(waiting.stdout).trim(), '--output');
    expect(back).toMatchObject({ code: 0, stdout: Buffer.from('back\n') });
    expect(await running.done).toMatchObject({ code: 1, stderr: expect.stringContaining('machine 2: unknown') });
    expect((await bytes('exec', '--machine', '2', '--', 'cat cut-off')).stdout.toString()).toBe('begun\n');
    await env.whole(3);
  });

  test('its machine is terminated while it runs: nobody will ever know', async () => {
    const { seen, done } = begin('exec', '--machine', '2', '--', 'echo begun; sleep 60');
    await until('its first line', async () => String(seen().stdout) === 'begun\n', 20);
    await env.cloud.terminate(await env.instanceOf('2'));
    expect(await done).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('machine 2: unknown: The machine is gone'),
    });
  });
});
