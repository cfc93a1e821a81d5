import { describe, expect, test } from 'vitest';
import type { ResultDocument } from './operation-documents.js';
import { append, type CommandEnd, cancel, claim, end, judge, outputLimit, stateOfAll } from './operation-states.js';

const created = new Date('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(created.getTime() + seconds * 1000);
const result = (fields: Partial<ResultDocument> = {}): ResultDocument => ({
  _id: '7/3',
  operation: 7,
  machine: '3',
  timeoutMs: 60_000,
  background: false,
  outputLimit: 100,
  state: 'pending',
  claimedBy: '',
  exitCode: null,
  signal: '',
  message: '',
  cancelling: false,
  chunks: 0,
  keptBytes: 0,
  stdoutBytes: 0,
  stderrBytes: 0,
  createdAt: created,
  claimedAt: null,
  endedAt: null,
  version: 1,
  ...fields,
});
const running = (fields: Partial<ResultDocument> = {}) =>
  result({ state: 'running', claimedBy: 'first', claimedAt: at(1), ...fields });
const over = (state: CommandEnd['state']): CommandEnd => ({
  state,
  exitCode: 0,
  signal: '',
  message: '',
  stdoutBytes: 6,
  stderrBytes: 0,
});

describe('claim', () => {
  test('one run of the agent gets it, once', () => {
    expect(claim(result(), 'first', at(1))).toEqual({ state: 'running', claimedBy: 'first', claimedAt: at(1) });
    expect(claim(running(), 'first', at(2))).toBeNull();
    expect(claim(running(), 'second', at(2))).toBeNull();
  });

  test('after its time limit, or its end, nobody gets it', () => {
    expect(claim(result(), 'first', at(61))).toMatchObject({ state: 'failed', message: /not begun/ });
    expect(claim(result({ state: 'cancelled' }), 'first', at(1))).toBeNull();
    expect(claim(result({ state: 'unknown' }), 'first', at(1))).toBeNull();
  });
});

describe('output', () => {
  test('only the next piece is taken: neither twice nor with a gap', () => {
    const at2 = running({ chunks: 2, keptBytes: 20 });
    expect(append(at2, { sequence: 2, bytes: 5 })).toEqual({ chunks: 3, keptBytes: 25 });
    expect(append(at2, { sequence: 1, bytes: 5 })).toBeNull();
    expect(append(at2, { sequence: 3, bytes: 5 })).toBeNull();
  });

  test('no more than is kept, and nothing after the end', () => {
    expect(append(running({ keptBytes: 96 }), { sequence: 0, bytes: 4 })).not.toBeNull();
    expect(append(running({ keptBytes: 96 }), { sequence: 0, bytes: 5 })).toBeNull();
    expect(append(result({ state: 'done' }), { sequence: 0, bytes: 1 })).toBeNull();
    expect(append(result({ state: 'unknown' }), { sequence: 0, bytes: 1 })).not.toBeNull();
  });
});

describe('end', () => {
  test('the first one stands', () => {
    expect(end(running(), over('done'), at(3))).toMatchObject({ state: 'done', exitCode: 0, endedAt: at(3) });
    for (const state of ['done', 'failed', 'cancelled', 'timed-out'] as const) {
      expect(end(result({ state }), over('failed'), at(3)), state).toBeNull();
    }
  });

  test('unknown becomes known when the machine says so, and only then', () => {
    expect(end(result({ state: 'unknown' }), over('done'), at(99))).toMatchObject({ state: 'done' });
    expect(end(result({ state: 'unknown' }), over('unknown'), at(99))).toBeNull();
  });
});

test('cancelled: what waits is over, what runs is told once, what is over stays', () => {
  expect(cancel(result(), 'ana', at(1))).toMatchObject({ state: 'cancelled', endedAt: at(1) });
  expect(cancel(running(), 'ana', at(1))).toEqual({ cancelling: true });
  expect(cancel(running({ cancelling: true }), 'ana', at(1))).toBeNull();
  expect(cancel(result({ state: 'unknown' }), 'ana', at(1))).toBeNull();
});

describe('what nobody says anything about', () => {
  const here = { gone: false, silent: false };
  test.each([
    ['waits', result(), here, 30, null],
    ['was not begun in time', result(), here, 61, 'failed'],
    ['waits, its agent fell silent', result(), { gone: false, silent: true }, 5, 'failed'],
    ['waits for a silent agent', result({ background: true }), { gone: false, silent: true }, 5, null],
    ['waits, its machine is gone', result({ background: true }), { gone: true, silent: true }, 5, 'failed'],
    ['runs', running(), here, 50, null],
    ['runs, its agent fell silent', running(), { gone: false, silent: true }, 50, null],
    ['runs, its machine is gone', running(), { gone: true, silent: true }, 5, 'unknown'],
    ['is being ended', running(), here, 61 + 29, null],
    ['should have ended', running(), here, 61 + 31, 'unknown'],
    ['is over', result({ state: 'done' }), { gone: true, silent: true }, 500, null],
    ['is unknown', result({ state: 'unknown' }), { gone: true, silent: true }, 500, null],
  ])('%s', (_, which, absence, seconds, state) => {
    expect(judge(which, absence, at(seconds))?.state ?? null).toBe(state);
  });
});

test('the whole is open while one machine is, then as its worst machine', () => {
  expect(stateOfAll(['pending', 'pending'])).toBe('pending');
  expect(stateOfAll(['pending', 'done'])).toBe('running');
  expect(stateOfAll(['running', 'failed'])).toBe('running');
  expect(stateOfAll(['done', 'failed', 'unknown'])).toBe('unknown');
  expect(stateOfAll(['done', 'timed-out', 'cancelled'])).toBe('timed-out');
  expect(stateOfAll(['done', 'done'])).toBe('done');
});

test('many machines share what is kept, and none gets too little', () => {
  expect(outputLimit(1)).toBe(4 * 1024 * 1024);
  expect(outputLimit(16)).toBe(4 * 1024 * 1024);
  expect(outputLimit(64)).toBe(1024 * 1024);
  expect(outputLimit(5000)).toBe(64 * 1024);
});
