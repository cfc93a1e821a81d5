import { describe, expect, test } from 'vitest';
import { chosen, entriesOf, inOrder } from './entries.js';

const source = { program: 'agent', machine: '1', environment: 'demo', time: '2026-03-01T11:00:00.000Z' };
const at = (second: number) => `2026-03-01T12:00:0${second}.000Z`;
const own = (second: number, more: object = {}) =>
  JSON.stringify({
    level: 'info',
    time: at(second),
    program: 'api',
    machine: '1',
    environment: 'demo',
    msg: 'm',
    ...more,
  });
const mongod = (s: string, c: string, attr = {}) =>
  JSON.stringify({ t: { $date: '2026-03-01T13:00:01.500+01:00' }, s, c, id: 1, ctx: 'x', msg: 'said', attr });

describe('entries', () => {
  test('of our programs hold all that they say', () => {
    expect(entriesOf([own(1, { requestId: 'r', n: 1 })], source)).toEqual([
      { level: 'info', time: at(1), program: 'api', machine: '1', environment: 'demo', msg: 'm', requestId: 'r', n: 1 },
    ]);
  });

  test('of anything else are warnings, as old as what was said before', () => {
    const said = entriesOf(['first words', '', own(1), 'TypeError: x', '    at y'], source);
    expect(said.map(({ time, level, msg }) => [time, level, msg])).toEqual([
      [source.time, 'warn', 'first words'],
      [at(1), 'info', 'm'],
      [at(1), 'warn', 'TypeError: x'],
      [at(1), 'warn', '    at y'],
    ]);
    expect(said[0]).toMatchObject({ program: 'agent', machine: '1' });
  });

  test.each([
    ['W', 'NETWORK', 'warn'],
    ['E', 'STORAGE', 'error'],
    ['F', 'CONTROL', 'fatal'],
    ['I', 'ELECTION', 'info'],
    ['I', 'REPL', 'debug'],
    ['I', 'NETWORK', 'debug'],
    ['D1', 'ELECTION', 'debug'],
  ])('of mongod: %s of %s is of level %s, in UTC, without what it was asked to do', (s, c, level) => {
    const secret = 'a document';
    const [entry] = entriesOf([mongod(s, c, { command: { insert: secret } })], source);
    expect(entry).toMatchObject({
      time: at(1).replace('.000', '.500'),
      level,
      program: 'mongod',
      machine: '1',
      msg: 'said',
    });
    expect(JSON.stringify(entry)).not.toContain(secret);
  });

  test('of mongod that warn of how Quorate logs in are no warnings', () => {
    const msg = "Client connecting with server's own TLS certificate";
    const line = JSON.stringify({ ...JSON.parse(mongod('W', 'NETWORK')), msg });
    expect(entriesOf([line], source)).toMatchObject([{ level: 'debug', msg }]);
  });

  test('hold no secrets, whoever wrote them', () => {
    const canary = 'c4n4ryc4n4ryc4n4ry';
    const lines = [`it crashed with token=${canary}`, own(1, { headers: { authorization: `Bearer ${canary}` } })];
    expect(JSON.stringify(entriesOf(lines, source))).not.toContain(canary);
  });

  test('are cut when they are long', () => {
    const [words, said] = entriesOf(['x'.repeat(100_000), own(1, { body: 'y'.repeat(100_000) })], source);
    expect(JSON.stringify(words).length).toBeLessThan(5000);
    expect(said).toMatchObject({ msg: 'm', cut: true });
    expect(JSON.stringify(said).length).toBeLessThan(5000);
  });
});

describe('of them are chosen', () => {
  const entries = entriesOf([own(1), own(2, { level: 'warn' }), own(3, { level: 'error' }), own(4)], source);
  const times = (query: Partial<Parameters<typeof chosen>[1]>) => {
    const { lines, more } = chosen(entries, { level: 'trace', since: '', limit: 9, ...query });
    return [lines.map(({ time }) => Number(time.slice(18, 19))), more];
  };

  test.each([
    ['all', {}, [[1, 2, 3, 4], false]],
    ['the grave ones', { level: 'warn' as const }, [[2, 3], false]],
    ['the late ones', { since: at(3) }, [[3, 4], false]],
    ['the last ones', { limit: 2 }, [[3, 4], true]],
    ['none', { limit: 0 }, [[], true]],
  ])('%s', (_, query, told) => {
    expect(times(query)).toEqual(told);
  });
});

test('they are told by time, and those of one time as they came', () => {
  const lines = entriesOf([own(3, { n: 1 }), own(1, { n: 2 }), own(3, { n: 3 }), own(2, { n: 4 })], source);
  expect(inOrder(lines).map(({ n }) => n)).toEqual([2, 4, 1, 3]);
});
