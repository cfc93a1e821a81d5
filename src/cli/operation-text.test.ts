import { expect, test } from 'vitest';
import type { Result } from '../api/operations.js';
import { askedOperation } from './exec.js';
import { commandText, exitCodeOf, resultText, size } from './operation-text.js';

const result = (fields: Partial<Result> = {}): Result => ({
  machine: '3',
  state: 'done',
  exitCode: 0,
  signal: '',
  message: '',
  chunks: 0,
  keptBytes: 0,
  stdoutBytes: 0,
  stderrBytes: 0,
  truncated: false,
  claimedAt: null,
  endedAt: null,
  ...fields,
});

test('the exit code is the command’s on one machine', () => {
  expect(exitCodeOf([result()])).toBe(0);
  expect(exitCodeOf([result({ state: 'failed', exitCode: 42 })])).toBe(42);
  expect(exitCodeOf([result({ state: 'failed', exitCode: null, signal: 'SIGKILL' })])).toBe(137);
  expect(exitCodeOf([result({ state: 'failed', exitCode: null })])).toBe(1);
  expect(exitCodeOf([result({ state: 'timed-out', exitCode: 0 })])).toBe(1);
  expect(exitCodeOf([result({ state: 'unknown', exitCode: null })])).toBe(1);
});

test('with several machines it is 1 unless it went well on all', () => {
  expect(exitCodeOf([result(), result({ machine: '4' })])).toBe(0);
  expect(exitCodeOf([result(), result({ state: 'failed', exitCode: 42 })])).toBe(1);
  expect(exitCodeOf([result(), result({ state: 'unknown' })])).toBe(1);
});

test('how it went, in words', () => {
  expect(resultText(result())).toBe('done');
  expect(resultText(result({ state: 'failed', exitCode: 2 }))).toBe('exit code 2');
  expect(resultText(result({ state: 'failed', exitCode: null, signal: 'SIGSEGV' }))).toBe('ended by SIGSEGV');
  expect(resultText(result({ state: 'unknown', message: 'Nobody knows.' }))).toBe('unknown: Nobody knows.');
  const cut = { truncated: true, keptBytes: 4 * 1024 ** 2, stdoutBytes: 10 * 1024 ** 2 };
  expect(resultText(result(cut))).toBe('done Its output is cut: 4 MiB of 10 MiB were kept.');
  expect([size(0), size(1023), size(3174), size(1024 ** 3)]).toEqual(['0 B', '1023 B', '3.1 KiB', '1 GiB']);
});

test('one word is for the shell, several are as they are', () => {
  const options = { machine: '0,3', timeout: '5m' };
  expect(askedOperation(['df -h | tail -1'], options)).toMatchObject({
    command: ['/bin/sh', '-c', 'df -h | tail -1'],
    machines: ['0', '3'],
    background: false,
  });
  expect(askedOperation(['ls', '-l', 'a b'], { all: true, timeout: '30s' })).toMatchObject({
    command: ['ls', '-l', 'a b'],
    machines: 'all',
    timeout: '30s',
  });
  expect(() => askedOperation(['ls'], { timeout: '5m' })).toThrow(/either the machines are named/);
  expect(() => askedOperation(['ls'], { ...options, all: true })).toThrow(/either the machines are named/);
  expect(() => askedOperation(['ls'], { machine: 'x', timeout: '5m' })).toThrow(/'x' is no machine ID/);
  expect(() => askedOperation(['ls'], { machine: '0', timeout: '25h' })).toThrow(/between 1s and 24h/);
});

test('a command as it could be typed, on one line', () => {
  expect(commandText(['/bin/sh', '-c', 'a | b\nc'])).toBe("'a | b c'");
  expect(commandText(['ls', "it's", '-l'])).toBe("ls 'it'\\''s' -l");
  expect(commandText(['x'.repeat(100)], 10)).toBe(`${'x'.repeat(9)}…`);
});
