import { expect, test } from 'vitest';
import type { Change } from '../api/changes.js';
import { failuresOf, historyOf } from './history.js';

const change = (startedAt: string, state: Change['state'], steps: Partial<Change['steps'][number]>[] = []) =>
  ({ runId: startedAt, startedAt, state, steps }) as unknown as Change;

test('changes that have ended and what the page saw stand in one order, by the environment’s clock', () => {
  const done = change('2026-11-29T10:00:00.000Z', 'done');
  const blocked = change('2026-11-29T10:00:10.000Z', 'blocked');
  const running = change('2026-11-29T10:00:20.000Z', 'running');
  const sighting = { at: Date.parse('2026-11-29T09:00:05.000Z'), text: '', bad: true };
  const entries = historyOf([running, blocked, done], [sighting], 3_600_000);
  expect(entries.map(({ at }) => new Date(at).toISOString())).toEqual([
    blocked.startedAt,
    '2026-11-29T10:00:05.000Z',
    done.startedAt,
  ]);
});

test('what failed is told once, with what came of it', () => {
  const failed = { text: 'join machine 1', state: 'failed', outcome: 'it does not answer' } as const;
  const steps = [failed, { text: 'look again', state: 'done' } as const, failed, { ...failed, outcome: '' }];
  expect(failuresOf(change('', 'blocked', steps))).toEqual(['join machine 1: it does not answer', 'join machine 1']);
});
