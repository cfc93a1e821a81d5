import { expect, test } from 'vitest';
import { whyByHand } from './hand.js';

const change = (by: string, kind: string, state: string, minute: number) => ({
  ...{ by, kind, state },
  startedAt: new Date(minute * 60_000).toISOString(),
});
const why = (changes: ReturnType<typeof change>[], voteless: string[] = []) => whyByHand({ changes, voteless });

test('an environment that should have healed by itself is a failure', () => {
  expect(why([])).toBe(null);
  expect(why([change('ana', 'enable-ha', 'done', 1), change('sentinel', 'replace', 'done', 2)])).toBe(null);
  // What failed before the last one is done is made good by it, and the sentinel's own failures are the sentinel's.
  expect(why([change('ana', 'enable-ha', 'done', 2), change('ana', 'enable-ha', 'blocked', 1)])).toBe(null);
  expect(why([change('ana', 'enable-ha', 'done', 1), change('sentinel', 'replace', 'failed', 2)])).toBe(null);
  expect(why([change('ana', 'enable-ha', 'done', 1), change('ana', 'switchover', 'blocked', 2)])).toBe(null);
});

test('what is meant to wait for a person is none', () => {
  const three = [1, 2, 3].map((minute) => change('sentinel', 'replace', 'done', minute));
  expect(why(three)).toMatch(/^3 replacements/);
  expect(why([change('ana', 'enable-ha', 'done', 1), change('ana', 'replace', 'blocked', 2)])).toMatch(
    /person's replace was blocked/,
  );
  expect(why([], ['member 2 has 0 votes and priority 0'])).toBe('changed by hand: member 2 has 0 votes and priority 0');
});
