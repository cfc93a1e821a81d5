import { beforeEach, expect, test, vi } from 'vitest';

const details = vi.hoisted(() => ({ shown: '' }));
vi.mock('@temporalio/workflow', () => ({
  setCurrentDetails: (text: string) => {
    details.shown = text;
  },
}));

const { Story } = await import('./story.js');

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-01-01T10:00:00Z') });
});

test('done, running, next: one checklist with times', () => {
  const story = new Story('enable-ha', 'demo: 1 → 3 controllers, asked for by ana');
  story.begin('start machines 1 and 2', 'Three were asked for.');
  vi.advanceTimersByTime(900);
  story.begin('grant a vote to machine 1', 'It holds all.');
  story.foresee([{ text: 'grant a vote to machine 2', reason: 'It holds all.' }]);
  expect(details.shown).toBe(
    [
      '**demo: 1 → 3 controllers, asked for by ana**',
      '',
      '- ✓ start machines 1 and 2 (0.9 s)',
      '- ● grant a vote to machine 1 (since 10:00:00 UTC)',
      '- ○ grant a vote to machine 2',
    ].join('\n'),
  );
});

test('in the next run the step under way is told again, and one that was done is not', () => {
  const told = (next: string) => {
    const story = new Story('enable-ha', 'demo', { records: 7, steps: 2 });
    story.begin('start machine 1', '');
    story.wait('wait until machine 1 is up', '', Date.now() + 60_000, 'go on without it');
    story.pause(next);
    return story.ended;
  };
  expect(told('add machine 1')).toBe(4);
  expect(told('wait until machine 1 is up')).toBe(3);
});

test('a wait says until when, and what happens if it does not come', () => {
  const story = new Story('enable-ha', 'demo');
  story.wait('wait until machine 1 is up', 'It boots.', Date.now() + 60_000, 'go on without it');
  vi.advanceTimersByTime(10_000);
  expect(details.shown).toContain('Waiting until 10:01:00 UTC. If it does not come: go on without it.');
  expect(story.progress().waitingFor).toMatchObject({ untilSecondsLeft: 50, otherwise: 'go on without it' });
  story.begin('join', '');
  expect(story.progress().waitingFor).toBeNull();
  // What it waited for stays with the step.
  expect(story.steps()[0]).toMatchObject({ deadline: '2026-01-01T10:01:00.000Z', otherwise: 'go on without it' });
});

test('the same step told again goes on; one that failed stays with its reason', () => {
  const story = new Story('enable-ha', 'demo');
  story.begin('join', 'It is up.', ['config 3 of term 1']);
  story.begin('join', 'It is up.');
  story.fail('the primary was lost');
  story.begin('join', 'It is up.');
  expect(story.steps()).toMatchObject([
    { state: 'failed', reason: 'It is up.', evidence: ['config 3 of term 1'], outcome: 'the primary was lost' },
    { state: 'running', reason: 'It is up.' },
  ]);
  expect(details.shown).toContain('- ✗ join (0.0 s): the primary was lost');
});

test('the end takes away what was foreseen, and says what a person can do', () => {
  const story = new Story('enable-ha', 'demo');
  story.begin('join', '');
  story.foresee([{ text: 'later', reason: '' }]);
  story.end('blocked', 'No member answers.', 'See quorate cloud list.');
  expect(story.progress()).toMatchObject({ state: 'blocked', result: 'No member answers.' });
  expect(story.steps().map(({ state }) => state)).toEqual(['failed']);
  expect(details.shown).toContain('What to do: See quorate cloud list.');
});

test('records are counted on from those of earlier runs', () => {
  expect(new Story('enable-ha', 'demo', { records: 7 }).nextRecord()).toBe(8);
});
