import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { markOf } from '../../process.js';
import { Command, type CommandOutcome } from './command.js';
import { endOf } from './end.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-command-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function start(script: string, timeoutMs = 20_000) {
  const written = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const command = await Command.start({
    command: ['/bin/sh', '-c', script],
    directory,
    env: { PATH: process.env.PATH ?? '' },
    timeoutMs,
    onOutput: (stream, data) => written[stream].push(data),
  });
  if (!(command instanceof Command)) throw new Error(command.problem);
  return {
    command,
    stdout: () => String(Buffer.concat(written.stdout)),
    stderr: () => String(Buffer.concat(written.stderr)),
  };
}

const gone = async (file: string) => (await markOf(Number(readFileSync(join(directory, file), 'utf8')))) === null;

test('both streams, the exit code, nothing on stdin, and files as anybody makes them', async () => {
  const { command, stdout, stderr } = await start('cat; echo out; echo err >&2; touch made; exit 3');
  expect(await command.outcome).toEqual({ exitCode: 3, signal: '', ending: null, problem: '' });
  expect([stdout(), stderr()]).toEqual(['out\n', 'err\n']);
  expect(statSync(join(directory, 'made')).mode & 0o777).toBe(0o644);
});

test('at its time limit the whole group is ended, also what does not want to leave', async () => {
  const script = 'echo $$ > leader; sh -c \'trap "" TERM; echo $$ > stubborn; while :; do sleep 0.1; done\' & sleep 60';
  const { command } = await start(script, 300);
  expect(await command.outcome).toMatchObject({ ending: 'timed-out', signal: 'SIGTERM', exitCode: null });
  expect([await gone('leader'), await gone('stubborn')]).toEqual([true, true]);
}, 15_000);

test('ended on demand; the first reason counts', async () => {
  const { command } = await start('sleep 60');
  command.end('cancelled');
  command.end('shutdown');
  expect(await command.outcome).toMatchObject({ ending: 'cancelled', signal: 'SIGTERM' });
});

test('one that has ended is not ended by its time limit, nor is what it leaves behind', async () => {
  const { command, stdout } = await start('sleep 3 & echo $! > left; echo done');
  expect(await command.outcome).toMatchObject({ exitCode: 0, ending: null });
  command.end('cancelled');
  expect(stdout()).toBe('done\n');
  expect(await gone('left')).toBe(false);
});

test.each([
  [['no-such-command'], 127, /There is no command no-such-command/],
  [['/etc/passwd'], 126, /may not be run/],
])('what cannot be started says why: %s', async (command, exitCode, problem) => {
  const outcome = await Command.start({ command, directory, env: {}, timeoutMs: 1000, onOutput: () => undefined });
  expect(outcome).toMatchObject({ exitCode, problem: expect.stringMatching(problem) });
  const end = endOf(outcome as CommandOutcome, { stdout: 0, stderr: 0 }, '');
  expect(end).toMatchObject({ state: 'failed', exitCode, message: expect.stringMatching(problem) });
});

test('what is said of an end', () => {
  const written = { stdout: 1, stderr: 2 };
  const plain = { exitCode: 0, signal: '', ending: null, problem: '' } as const;
  expect(endOf(plain, written, '')).toMatchObject({ state: 'done', message: '', stdoutBytes: 1, stderrBytes: 2 });
  expect(endOf({ ...plain, exitCode: 1 }, written, '')).toMatchObject({ state: 'failed', exitCode: 1 });
  expect(endOf({ ...plain, exitCode: null, signal: 'SIGSEGV' }, written, '')).toMatchObject({ state: 'failed' });
  expect(endOf({ ...plain, ending: 'timed-out' }, written, 'Cut.')).toMatchObject({
    state: 'timed-out',
    message: 'It was ended at its time limit. Cut.',
  });
  expect(endOf({ ...plain, ending: 'shutdown' }, written, '').state).toBe('failed');
});
