import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseLine } from './line.js';
import { openLog } from './log.js';

const writer = { program: 'api', machine: '1', environment: 'demo' } as const;
let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-log-'));
  file = path.join(directory, 'log');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** What is in the file once `say` has returned. */
function written(say: (log: ReturnType<typeof openLog>) => void, level?: string): string[] {
  const fd = openSync(file, 'a');
  say(openLog({ writer, level, fd }));
  const text = readFileSync(file, 'utf8');
  closeSync(fd);
  return text.split('\n').filter((line) => line !== '');
}

test('a line says when, how grave, who, where and what, and is there when the call returns', () => {
  const [line = ''] = written((log) => log.warn({ requestId: 'r-1', n: 2 }, 'not yet'));
  expect(parseLine(line)).toEqual({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    level: 'warn',
    program: 'api',
    machine: '1',
    environment: 'demo',
    msg: 'not yet',
    requestId: 'r-1',
    details: { n: 2 },
  });
});

test('of an error its name, sentence and stack are told, and not what else hangs on it', () => {
  const error = Object.assign(new TypeError('x', { cause: new Error('why') }), { code: 11, document: 'of somebody' });
  const [line = ''] = written((log) => log.error({ err: error }, 'failed'));
  expect(parseLine(line)?.details.err).toEqual({
    type: 'TypeError',
    message: 'x',
    code: 11,
    stack: expect.stringContaining('TypeError: x'),
    cause: 'why',
  });
});

test('no secret is written', () => {
  expect(written((log) => log.info({ headers: { authorization: 'Bearer c4n4ryc4n4ry' } }, 'x')).join()).not.toContain(
    'c4n4ry',
  );
});

test.each([
  [undefined, 2],
  ['debug', 3],
  ['error', 1],
  ['nonsense', 2],
])('of level %s: %i of three', (level, lines) => {
  const say = (log: ReturnType<typeof openLog>) => {
    log.debug('a');
    log.info('b');
    log.error('c');
  };
  expect(written(say, level)).toHaveLength(lines);
});

test.runIf(process.platform === 'linux')('a full disk ends nobody', () => {
  const fd = openSync('/dev/full', 'w');
  const log = openLog({ writer, fd });
  for (let n = 0; n < 100; n += 1) log.info('it is full');
  closeSync(fd);
});
