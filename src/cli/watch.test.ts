import { expect, test } from 'vitest';
import { textOf } from './watch.js';

const since = '2026-01-01T10:00:00.000Z';
const nextAt = '2026-01-01T10:00:15.000Z';
const clock = (iso: string) => new Date(iso).toLocaleTimeString();
const evidence = (...controllers: object[]) => textOf({ kind: 'evidence', id: 'current', document: { controllers } });

test('evidence: who is not well since when, and what happens next and when, where anything does', () => {
  expect(evidence()).toBe('evidence  all controllers are well');
  expect(evidence({ machine: '2', verdict: 'silent', since, next: 'written off and replaced', nextAt })).toBe(
    `evidence  machine 2: silent since ${clock(since)}; at ${clock(nextAt)}: written off and replaced`,
  );
  const next = 'nothing by itself, as no majority answers: quorate recover';
  expect(
    evidence(
      { machine: '0', verdict: 'terminated', since, next, nextAt: null },
      { machine: '1', verdict: 'stopped', since, next: '', nextAt: null },
    ),
  ).toBe(`evidence  machine 0: terminated since ${clock(since)}; ${next}. machine 1: stopped since ${clock(since)}`);
});

test('anything else: the fields that a person reads, or that it is gone', () => {
  const document = { _id: '1', life: 'alive', memberId: 4, zone: '', instance: { id: 'i-1' }, jobs: ['host-units'] };
  expect(textOf({ kind: 'machine', id: '1', document })).toBe('machine 1  life=alive memberId=4');
  expect(textOf({ kind: 'machine', id: '1', document: null })).toBe('machine 1 is gone');
});
