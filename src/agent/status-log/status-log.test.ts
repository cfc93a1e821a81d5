import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StatusReport } from '../../api/status-log.js';
import { StatusLog } from './status-log.js';
import { parseUnsent } from './unsent.js';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'quorate-status-'));
  file = path.join(directory, 'status-log');
});
afterEach(() => rm(directory, { recursive: true }));

/** A connection: what it is told, by its messages. */
function connect(log: StatusLog): StatusReport[] {
  const told: StatusReport[] = [];
  log.connected((message) => told.push(message) > 0);
  return told;
}
const messagesOf = (told: StatusReport[]) => told.map(({ entries }) => entries.map(({ message }) => message));
const lastOf = (told: StatusReport[]) => told.at(-1)?.entries.at(-1)?.number ?? 0;

test('a controller that says nothing of it is told nothing', async () => {
  const log = await StatusLog.open(file);
  const told = connect(log);
  log.note('agent', 'started', '1');
  expect(told).toEqual([]);
  log.hear({ type: 'status-log', upTo: 0 });
  expect(messagesOf(told)).toEqual([['1']]);
  await log.close();
});

test('one message at a time, and what is not acknowledged again over the next connection', async () => {
  const log = await StatusLog.open(file);
  log.note('agent', 'started', '1');
  const first = connect(log);
  log.hear({ type: 'status-log', upTo: 0 });
  log.note('api', 'running', '2');
  expect(messagesOf(first)).toEqual([['1']]);
  log.lost();
  log.note('api', 'failed', '3');
  const second = connect(log);
  expect(second).toEqual([]);
  log.hear({ type: 'status-log', upTo: 0 });
  expect(messagesOf(second)).toEqual([['1', '2', '3']]);
  log.hear({ type: 'status-log', upTo: lastOf(second) });
  log.note('api', 'running', '4');
  expect(messagesOf(second)).toEqual([['1', '2', '3'], ['4']]);
  await log.close();
});

test('what an agent that was killed had written down is sent by the next, with the same numbers', async () => {
  const log = await StatusLog.open(file);
  log.note('agent', 'started', '1');
  log.note('api', 'failed', '2');
  const told = connect(log);
  log.hear({ type: 'status-log', upTo: 0 });
  await log.close();
  const next = await StatusLog.open(file);
  const again = connect(next);
  next.hear({ type: 'status-log', upTo: 0 });
  expect(again).toEqual(told);
  next.hear({ type: 'status-log', upTo: lastOf(again) });
  await next.close();
  const third = await StatusLog.open(file);
  const nothing = connect(third);
  third.hear({ type: 'status-log', upTo: 0 });
  expect(nothing).toEqual([]);
});

test('the same said twice on end is said once', async () => {
  const log = await StatusLog.open(file);
  for (const message of ['exit 1', 'exit 1', 'exit 2', 'exit 1']) log.note('worker', 'failed', message);
  log.note('api', 'failed', 'exit 1');
  const told = connect(log);
  log.hear({ type: 'status-log', upTo: 0 });
  expect(messagesOf(told)).toEqual([['exit 1', 'exit 2', 'exit 1', 'exit 1']]);
  await log.close();
});

test('what the disk does not take is sent, and written down once it does', async () => {
  // Nobody can write a file where a directory should be that is not there.
  const away = path.join(directory, 'disk', 'status-log');
  const log = await StatusLog.open(away);
  log.note('disk', 'full', '1');
  log.note('api', 'failed', '2');
  await log.close();
  const told = connect(log);
  log.hear({ type: 'status-log', upTo: 0 });
  expect(messagesOf(told)).toEqual([['1', '2']]);
  await mkdir(path.dirname(away));
  log.note('disk', 'has-room', '3');
  await log.close();
  expect(parseUnsent(await readFile(away, 'utf8')).entries.map(({ message }) => message)).toEqual(['1', '2', '3']);
});

test('a file that is damaged, or no file at all, holds nobody up and is whole again', async () => {
  await writeFile(file, '\0\0\n{"number":5,"at":5,"what":"api","status":"failed","message":"old"}\n{"number":6,');
  const log = await StatusLog.open(file);
  log.note('agent', 'started', 'new');
  await log.close();
  const read = parseUnsent(await readFile(file, 'utf8'));
  expect(read).toMatchObject({ whole: true, entries: [{ message: 'old' }, { message: 'new' }] });
  const none = await StatusLog.open(directory);
  none.note('agent', 'started', 'x');
  await none.close();
  const told = connect(none);
  none.hear({ type: 'status-log', upTo: 0 });
  expect(messagesOf(told)).toEqual([['x']]);
});

test('the file does not grow without end', async () => {
  const log = await StatusLog.open(file);
  connect(log);
  for (let n = 0; n < 600; n += 1) {
    log.note('api', n % 2 ? 'running' : 'failed', `${n}`);
    log.hear({ type: 'status-log', upTo: Number.MAX_SAFE_INTEGER });
  }
  log.note('api', 'failed', 'last');
  await log.close();
  const read = parseUnsent(await readFile(file, 'utf8'));
  expect(read.lines).toBeLessThan(600);
  expect(read.entries.map(({ message }) => message)).toEqual(['last']);
});
