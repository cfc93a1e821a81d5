import { describe, expect, test } from 'vitest';
import { isAtLeast, lastSentence, lineText, parseLine } from './line.js';

const time = '2026-03-01T12:00:00.000Z';
const said = {
  level: 'warn',
  time,
  program: 'api',
  machine: '1',
  environment: 'demo',
  msg: 'feed: not yet',
  requestId: 'r-1',
  n: 2,
};

describe('a line', () => {
  test('is read as it was written', () => {
    expect(parseLine(JSON.stringify(said))).toEqual({
      time,
      level: 'warn',
      program: 'api',
      machine: '1',
      environment: 'demo',
      msg: 'feed: not yet',
      requestId: 'r-1',
      details: { n: 2 },
    });
  });

  test.each([
    ['words', 'quorated-init: shut down'],
    ['half a line', JSON.stringify(said).slice(0, 40)],
    ["another program's JSON", '{"t":{"$date":"2026-03-01T12:00:00.000Z"},"s":"I","msg":"Waiting for connections"}'],
    ['a level that nobody knows', JSON.stringify({ ...said, level: 30 })],
    ['null', 'null'],
  ])('of %s is none of ours, and is shown as it is', (_, text) => {
    expect(parseLine(text)).toBeNull();
    expect(lineText(text)).toBe(text);
  });

  test('for people says when, how grave, who and what', () => {
    expect(lineText(JSON.stringify(said))).toBe(`${time} WARN  api 1: feed: not yet request=r-1 n=2`);
  });

  test('for people gives a terminal no orders', () => {
    expect(lineText(JSON.stringify({ ...said, msg: 'a\u001b[2Jb\u009bc\r' }))).toContain(
      'a\ufffd[2Jb\ufffdc\ufffd request=',
    );
  });

  test('for people shows where an error came from', () => {
    const err = {
      type: 'TypeError',
      message: 'x is not a function',
      stack: 'TypeError: x is not a function\n    at y',
    };
    expect(lineText(JSON.stringify({ ...said, requestId: undefined, n: undefined, err }))).toBe(
      `${time} WARN  api 1: feed: not yet err="x is not a function"\nTypeError: x is not a function\n    at y`,
    );
  });
});

test('levels rise', () => {
  expect(isAtLeast('error', 'warn')).toBe(true);
  expect(isAtLeast('warn', 'warn')).toBe(true);
  expect(isAtLeast('info', 'warn')).toBe(false);
});

test('the last sentence of a console', () => {
  expect(lastSentence(`x\n${JSON.stringify(said)}\n`)).toBe('feed: not yet');
  expect(lastSentence('y\nip: not found\n')).toBe('ip: not found');
  expect(lastSentence('')).toBe('');
});
