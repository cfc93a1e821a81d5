import { expect, test } from 'vitest';
import type { Found, Judged } from '../src/membership/judge.js';
import type { PastChange } from '../src/state/changes.js';
import { historyOf, isAmiss, type Moments, sameSaid } from './sentinel.js';

test('a change whose document says running runs as long as Temporal says so; else it has failed', () => {
  const running = (id: string): PastChange => ({ id, state: 'running', ageMs: 90_000, endedAgeMs: null });
  const done: PastChange = { id: 'done', state: 'done', ageMs: 80_000, endedAgeMs: 70_000 };
  expect(historyOf([running('lives'), running('ended'), done], new Set(['lives']))).toEqual([
    running('lives'),
    { id: 'ended', state: 'failed', ageMs: 90_000, endedAgeMs: 90_000 },
    done,
  ]);
});

test('what is well, begins or leaves is not told; all else is', () => {
  const found: readonly Found[] = [
    ...(['well', 'starting', 'leaving'] as const),
    ...(['terminated', 'stopped', 'silent', 'ill', 'degraded', 'maintenance'] as const),
  ];
  const judged = found.map((verdict): Judged => ({ machine: '1', verdict, sinceMs: 0, next: '', inMs: null }));
  expect(judged.filter(isAmiss).map(({ verdict }) => verdict)).toEqual(found.slice(3));
});

test('it is told again when words change, somebody comes or goes, or a moment moves by more than a look may', () => {
  const one: Moments = { words: '1 silent', since: 1000, next: 9000 };
  const other: Moments = { words: '2 stopped', since: 2000, next: null };
  const said = [one, other];
  expect(sameSaid(said, [{ ...one, since: 1400, next: 10_400 }, other])).toBe(true);
  expect(sameSaid(said, [{ ...one, words: '1 degraded' }, other])).toBe(false);
  expect(sameSaid(said, [{ ...one, since: 3000 }, other])).toBe(false);
  expect(sameSaid(said, [{ ...one, next: 11_000 }, other])).toBe(false);
  // What was held up goes on, or the other way round.
  expect(sameSaid(said, [{ ...one, next: null }, other])).toBe(false);
  expect(sameSaid(said, [one, { ...other, next: 9000 }])).toBe(false);
  expect(sameSaid(said, [one])).toBe(false);
  expect(sameSaid([one], said)).toBe(false);
  expect(sameSaid([], [])).toBe(true);
});
