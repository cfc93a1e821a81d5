import { describe, expect, test } from 'vitest';
import { controllerOf, statusWith } from '../../test/support/status.js';
import type { Change } from '../api/changes.js';
import { advance, begin, type Happening, type Model } from './model.js';

const play = (happenings: readonly Happening[], model: Model = begin(0)) => happenings.reduce(advance, model);
const connected = (at: number, machine: string): Happening => {
  return { kind: 'connected', at, machine, address: `127.0.1.${machine}:17070`, clockOffsetMs: 0 };
};
const lost = (at: number, machine: string): Happening => ({ kind: 'lost', at, machine, reason: 'it is gone' });
const change = (runId: string, startedAt: string, state: Change['state'] = 'running') =>
  ({ runId, startedAt, state, steps: [] }) as unknown as Change;

describe('the page', () => {
  test('says when it lost its controller, and to whom it talks now after how long', () => {
    const searching = play([connected(1000, '0'), lost(5000, '0')]);
    expect(searching).toMatchObject({ link: { state: 'searching', since: 5000 }, loss: { machine: '0', next: null } });
    const tried = advance(searching, { kind: 'searching', at: 5300, tried: ['a'], reason: 'Machine 1: no.' });
    expect(tried.link).toEqual({ state: 'searching', since: 5000, tried: ['a'], reason: 'Machine 1: no.' });
    const found = advance(tried, connected(5420, '1'));
    expect(found).toMatchObject({
      link: { state: 'live', machine: '1' },
      loss: { next: { machine: '1', waitedMs: 420 } },
    });
    expect(found.sightings.map(({ text }) => text)).toEqual([
      'This page lost controller 0 (it is gone) and went on with controller 1 after 0.42 s',
    ]);
  });

  test('counts from the first loss when one that answers a ping turns out to serve nothing', () => {
    const found = play([connected(1000, '0'), lost(5000, '0'), lost(5200, '1'), connected(5900, '2')]);
    expect(found.loss).toMatchObject({ machine: '0', at: 5000, next: { machine: '2', waitedMs: 900 } });
  });

  test('keeps what it showed, with its age, while nobody answers', () => {
    const status = statusWith([controllerOf('0')]);
    const model = play([connected(1000, '0'), { kind: 'status', at: 1500, status }, lost(5000, '0')]);
    expect(model).toMatchObject({ status, statusAt: 1500 });
  });

  test('tells what it noticed between two looks', () => {
    const before = statusWith([controllerOf('0'), controllerOf('1')]);
    const now = statusWith([controllerOf('0'), controllerOf('1', { agent: 'down' })]);
    const model = play([
      { kind: 'status', at: 1000, status: before },
      { kind: 'status', at: 2000, status: now },
    ]);
    expect(model.sightings).toEqual([{ at: 2000, text: 'The agent of controller 1 fell silent', bad: true }]);
  });

  test('holds each change once, as it was told last, the latest first', () => {
    const old = change('a', '2026-11-29T10:00:00Z', 'done');
    const running = change('b', '2026-11-29T11:00:00Z');
    const model = play([
      { kind: 'changes', at: 0, changes: [old] },
      { kind: 'change', at: 0, change: running },
      { kind: 'change', at: 0, change: { ...running, state: 'done' } },
    ]);
    expect(model.changes.map(({ runId, state }) => [runId, state])).toEqual([
      ['b', 'done'],
      ['a', 'done'],
    ]);
  });
});
