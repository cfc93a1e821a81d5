import { expect, test } from 'vitest';
import type { Change } from '../api/changes.js';
import type { ChangeStep } from '../state/documents.js';
import { passagesOf, storyText, wrapped } from './change-story.js';
import { colours } from './colour.js';
import { symbols } from './output.js';

const step = (text: string, more: Partial<ChangeStep> = {}): ChangeStep => ({
  text,
  state: 'done',
  reason: '',
  startedAt: '2026-01-01T10:00:00.000Z',
  seconds: 0.9,
  ...more,
});

const change = (steps: ChangeStep[], more: Partial<Change> = {}): Change => ({
  id: 'demo-1f2e3d4c-7',
  kind: 'replace',
  summary: 'demo: replace machine 2, asked for by sentinel',
  workflowId: 'demo-1f2e3d4c:membership',
  runId: 'run',
  url: 'http://ui/run',
  by: 'sentinel',
  state: 'done',
  steps,
  result: 'Three controllers vote.',
  startedAt: '2026-01-01T10:00:00.000Z',
  endedAt: '2026-01-01T10:00:04.400Z',
  ...more,
});

const look = { sign: symbols({ ascii: true }), paint: colours(process.stdout), width: 80, all: false };

test('each step has its time, its reason, what it was judged from, what it waited for and what came of it', () => {
  const text = storyText(
    change([
      step('write machine 2 off', {
        reason: 'The cloud says that machine 2 is terminated.',
        evidence: ['machine 2: the cloud says terminated; its agent is down, silent for 4.0 s, presence 12'],
      }),
      step('wait until machine 3 is up', {
        startedAt: '2026-01-01T10:00:01.000Z',
        state: 'failed',
        seconds: 300,
        deadline: '2026-01-01T10:05:01.000Z',
        otherwise: 'start another one',
        outcome: 'not within 300 s, so: start another one',
      }),
    ]),
    look,
  );
  expect(text.split('\n')).toEqual([
    'demo-1f2e3d4c-7   replace   done in 4.4 s',
    'demo: replace machine 2, asked for by sentinel',
    'began 2026-01-01 10:00:00 UTC, ended 10:00:04, by sentinel',
    'Temporal: http://ui/run',
    '',
    expect.stringMatching(/^10:00:00 {2}\+ write machine 2 off {10,}0\.9 s$/),
    '            why   The cloud says that machine 2 is terminated.',
    '            seen  machine 2: the cloud says terminated; its agent is down,',
    '                  silent for 4.0 s, presence 12',
    expect.stringMatching(/^10:00:01 {2}x wait until machine 3 is up {10,}5 min$/),
    '            wait  until 10:05:01 at most, then: start another one',
    '            but   not within 300 s, so: start another one',
    '',
    '+ Three controllers vote.',
  ]);
});

test('what came the same way many times in a row is told once, unless all is asked for', () => {
  const attempt = (seconds: number) => step('grant a vote to machine 1', { state: 'failed', seconds });
  const wait = step('wait until the config has spread');
  const steps = [step('begin'), ...Array.from({ length: 5 }, (_, i) => [attempt(i), wait]).flat(), step('end')];
  expect(passagesOf(steps).map(({ steps, times }) => [steps.map(({ text }) => text), times])).toEqual([
    [['begin'], 1],
    [['grant a vote to machine 1', 'wait until the config has spread'], 5],
    [['end'], 1],
  ]);
  expect(passagesOf(steps)[1]?.steps[0]?.seconds).toBe(4);
  expect(storyText(change(steps), look)).toContain('These 2 steps came 5 times in a row; the last is shown.');
  expect(storyText(change(steps), { ...look, all: true }).match(/grant a vote/g)).toHaveLength(5);
});

test('twice in a row is told twice', () => {
  expect(passagesOf([step('a'), step('a'), step('b')]).map(({ times }) => times)).toEqual([1, 1, 1]);
});

test('a step of another day says which', () => {
  const text = storyText(change([step('late', { startedAt: '2026-01-02T00:00:01.000Z' })]), look);
  expect(text).toContain('2026-01-02 00:00:01');
});

test('a story without a UI or without steps still says where it ran', () => {
  const text = storyText(change([], { url: '', state: 'running', endedAt: null, result: '' }), look);
  expect(text).toContain('Temporal: workflow demo-1f2e3d4c:membership, run run');
  expect(text).toContain('Nothing of it has been written down yet.');
});

test('long words stand alone', () => {
  expect(wrapped('a bbbbbbbbbbbb c', '> ', 8)).toEqual(['> a', '  bbbbbbbbbbbb', '  c']);
});
