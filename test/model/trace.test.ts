/** The recorded traces of real members (test/long/model-trace.test.ts), and how narrowly the model follows them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { follow, type Said, type Trace, type TraceEvent } from './trace.js';

const DIRECTORY = path.join(import.meta.dirname, 'traces');
const names = readdirSync(DIRECTORY).map((file) => path.basename(file, '.json'));
const traceOf = (name: string): Trace =>
  JSON.parse(readFileSync(path.join(DIRECTORY, `${name}.json`), 'utf8')) as Trace;

test.each(names)('the model could have done what was seen: %s', (name) => {
  expect(follow(traceOf(name)).at).toBe('');
});

test('the traces show each refusal that the model knows', () => {
  const codes = names.flatMap((name) => traceOf(name).events.flatMap((event) => ('code' in event ? [event.code] : [])));
  for (const code of [0, 74, 103, 125, 308, 10107]) expect(codes).toContain(code);
});

/** The trace with one event told otherwise. */
const retold = (trace: Trace, at: number, event: TraceEvent): Trace => ({
  ...trace,
  events: trace.events.map((one, i) => (i === at ? event : one)),
});

test.each(names)('what MongoDB refused the model does not take, nor refuse what it took: %s', (name) => {
  const trace = traceOf(name);
  for (const [at, event] of trace.events.entries()) {
    if (!('code' in event) || event.do === 'write') continue;
    const otherwise = event.code === 0 ? (event.do === 'reconfig' ? 103 : null) : 0;
    if (otherwise === null) continue;
    expect(follow(retold(trace, at, { ...event, code: otherwise })).accepted, `event ${at + 1}`).toBe(false);
  }
});

test.each(names)('another primary than was seen is none in the model: %s', (name) => {
  const trace = traceOf(name);
  for (const [at, event] of trace.events.entries()) {
    if (!('see' in event)) continue;
    const swap = (said: Said): Said =>
      said?.state === 'PRIMARY' || said?.state === 'SECONDARY'
        ? { ...said, state: said.state === 'PRIMARY' ? 'SECONDARY' : 'PRIMARY' }
        : said;
    // Two of a term, none where one stays, or one without a vote.
    if (event.see.filter((said) => said?.state === 'SECONDARY').length === 0) continue;
    expect(follow(retold(trace, at, { see: event.see.map(swap) })).accepted, `event ${at + 1}`).toBe(false);
  }
});

test('a write that was told is held by whoever is primary afterwards', () => {
  const trace = traceOf('majority-lost');
  const alone = trace.events.findIndex((event) => 'do' in event && event.do === 'write-alone');
  // Had a client been told, no majority could have gone on without it.
  expect(follow(retold(trace, alone, { do: 'write', to: 0, told: true, code: 0 })).accepted).toBe(false);
});
