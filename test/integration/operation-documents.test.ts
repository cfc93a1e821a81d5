import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Report, settle, takeReport } from '../../src/state/operation-reports.js';
import { createOperation } from '../../src/state/operations.js';
import type { State } from '../../src/state/state.js';
import { SeededSet } from '../support/mongo.js';

let seeded: SeededSet;
let state: State;

beforeAll(async () => {
  seeded = await SeededSet.start(1);
  ({ state } = seeded);
});

afterAll(() => seeded?.[Symbol.asyncDispose]());

const asked = { command: ['true'], machines: ['0'], timeoutMs: 60_000, background: false, by: 'ana' } as const;
const create = (fields: { machines?: readonly string[]; silent?: ReadonlyMap<string, string> } = {}) =>
  createOperation(state, {
    ...asked,
    silent: new Map(),
    request: { key: `ana/${randomUUID()}`, fingerprint: 'f' },
    ...fields,
  });
const say = (operation: number, report: Report, session = 'first') =>
  takeReport(state, { operation, machine: '0', session, report });
const piece = (sequence: number, text: string): Report => ({
  kind: 'output',
  sequence,
  stream: 'stdout',
  data: Buffer.from(text),
});
const done: Report = {
  ...{ kind: 'end', state: 'done', exitCode: 0, signal: '', message: '' },
  ...{ stdoutBytes: 6, stderrBytes: 0 },
};

test('numbers are never used twice, also by many at once', async () => {
  const numbers = await Promise.all(Array.from({ length: 8 }, () => create()));
  expect(new Set(numbers).size).toBe(8);
  await state.operations.deleteMany({});
  expect(await create()).toBeGreaterThan(Math.max(...numbers));
});

test('two runs of an agent that claim at once: one gets it', async () => {
  const number = await create();
  const answers = await Promise.all(['a', 'b', 'c'].map((run) => say(number, { kind: 'claim' }, run)));
  expect(new Set(answers.map((answer) => answer?.claimedBy)).size).toBe(1);
  expect(answers[0]).toMatchObject({ state: 'running' });
});

test('a piece that is sent again, at the same time or late, is kept once and in its place', async () => {
  const number = await create();
  await say(number, { kind: 'claim' });
  await Promise.all(Array.from({ length: 5 }, () => say(number, piece(0, 'one'))));
  expect(await say(number, piece(2, 'three'))).toMatchObject({ chunks: 1 });
  await say(number, piece(1, 'two'));
  expect(await say(number, piece(0, 'one'))).toMatchObject({ chunks: 2, keptBytes: 6 });
  const kept = await state.operationOutput.find({ operation: number }).sort({ sequence: 1 }).toArray();
  expect(kept.map(({ data }) => Buffer.from(data.value()).toString())).toEqual(['one', 'two']);
  await Promise.all([say(number, done), say(number, { ...done, state: 'failed', exitCode: 1 } as Report)]);
  const { state: end, version } = (await say(number, { kind: 'ask' })) ?? {};
  expect(['done', 'failed']).toContain(end);
  expect(await say(number, done)).toMatchObject({ state: end, version });
  expect(await say(number, piece(2, 'late'))).toMatchObject({ chunks: 2 });
});

test('what nobody says anything about is settled once, whoever looks', async () => {
  const number = await create();
  const gone = () => ({ gone: true, silent: true });
  const now = new Date();
  await Promise.all([1, 2, 3].map(() => settle(state, [`${number}/0`], gone, now)));
  expect(await say(number, { kind: 'claim' })).toMatchObject({ state: 'failed', version: 2 });
});

test('an agent that says what is not its machine’s is not heard', async () => {
  const number = await create();
  const report = { kind: 'claim' } as const;
  expect(await takeReport(state, { operation: number, machine: '1', session: 'x', report })).toBeNull();
  expect(await say(number, { kind: 'ask' })).toMatchObject({ state: 'pending' });
});

test('refused as a whole, and nothing is written', async () => {
  const before = await state.operations.countDocuments();
  await expect(create({ machines: ['0', '77'] })).rejects.toMatchObject({ code: 'not-found' });
  await expect(create({ silent: new Map([['0', 'down']]) })).rejects.toMatchObject({ code: 'agent-silent' });
  expect(await state.operations.countDocuments()).toBe(before);
});
