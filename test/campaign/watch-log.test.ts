import { expect, test } from 'vitest';
import { WatchLog } from './watch-log.js';

function told(...events: [string, number][]): WatchLog {
  const log = new WatchLog();
  for (const [key, version] of events) log.take(key, version);
  return log;
}

const final = new Map([['a', { version: 2, value: '' }]]);

test('every version in order, each once', () => {
  const log = told(['a', 1], ['b', 1], ['a', 2]);
  expect(log.wrong).toEqual([]);
  expect(log.missing(final)).toEqual([]);
});

test('a version that is skipped, told twice, or never told', () => {
  expect(told(['a', 2]).wrong).toEqual([expect.stringMatching(/version 2 of a after version 0: without 1$/)]);
  expect(told(['a', 1], ['a', 4]).wrong).toEqual([expect.stringMatching(/without 2 to 3$/)]);
  expect(told(['a', 1], ['a', 1]).wrong).toEqual([expect.stringMatching(/again or late$/)]);
  expect(told(['a', 1]).missing(final)).toEqual([expect.stringMatching(/version 1 of a last, and it is at 2$/)]);
});

test('who had to begin anew knows nothing of what came before, and all of what comes after', () => {
  const log = told(['a', 1]);
  log.beginAnew();
  expect(log.missing(final)).toEqual([]);
  log.take('a', 3);
  expect(log.wrong).toEqual([]);
  log.take('a', 5);
  expect(log.wrong).toHaveLength(1);
});
