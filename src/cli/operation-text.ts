import { constants } from 'node:os';
import { duration } from '../api/duration.js';
import type { Result } from '../api/operations.js';

/** How it went on one machine, in a few words. */
export function resultText(result: Result): string {
  const { state, exitCode, signal, message } = result;
  const how = {
    pending: 'waits',
    running: 'runs',
    done: 'done',
    failed: signal !== '' ? `ended by ${signal}` : exitCode === null ? 'failed' : `exit code ${exitCode}`,
    cancelled: 'cancelled',
    'timed-out': 'timed out',
    unknown: 'unknown',
  }[state];
  return [message === '' ? how : `${how}: ${message}`, cutText(result)].filter(Boolean).join(' ');
}

/** What is missing of its output; empty when all is there. */
export function cutText({ truncated, keptBytes, stdoutBytes, stderrBytes }: Result): string {
  if (!truncated) return '';
  return `Its output is cut: ${size(keptBytes)} of ${size(stdoutBytes + stderrBytes)} were kept.`;
}

/** The exit code of the whole: the command's own on one machine, else 1 when it did not go well on all. */
export function exitCodeOf(results: readonly Result[]): number {
  const [only, ...others] = results;
  if (only === undefined || others.length > 0) return results.every(({ state }) => state === 'done') ? 0 : 1;
  if (only.state === 'done') return 0;
  if (only.state !== 'failed') return 1;
  const number = constants.signals[only.signal as NodeJS.Signals];
  return only.exitCode ?? (number === undefined ? 1 : 128 + number);
}

/** How long it ran on a machine; empty while it runs or when it never did. */
export function tookText({ claimedAt, endedAt }: Result): string {
  if (claimedAt === null || endedAt === null) return '';
  return duration(Math.max(0, Date.parse(endedAt) - Date.parse(claimedAt)) / 1000);
}

/** A command as it could be typed, on one line and not longer than that. */
export function commandText(command: readonly string[], width = 60): string {
  const words = command.length === 3 && command[0] === '/bin/sh' && command[1] === '-c' ? command.slice(2) : command;
  const text = words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
  const line = text.replace(/\s+/g, ' ');
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

/** 48 B, 3.1 KiB, 4 MiB. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const unit = bytes < 1024 ** 2 ? 'KiB' : bytes < 1024 ** 3 ? 'MiB' : 'GiB';
  const value = bytes / 1024 ** (unit === 'KiB' ? 1 : unit === 'MiB' ? 2 : 3);
  return `${Number.isInteger(value) || value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`;
}
