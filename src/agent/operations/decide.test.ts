import { describe, expect, test } from 'vitest';
import type { ToldOperation } from '../../api/agent-operations.js';
import { decide, isUnwanted, type Own } from './decide.js';

type Told = NonNullable<ToldOperation['result']>;
const RUN = 'this-run';
const nothing: Own = { journal: 'none', end: null, pieces: 0, hasWork: true, room: true };
const begun = (fields: Partial<Own> = {}): Own => ({ ...nothing, journal: 'begun', ...fields });
const ended = (fields: Partial<Own> = {}): Own => ({ ...nothing, journal: 'ended', end: 'done', ...fields });
const told = (state: Told['state'], fields: Partial<Told> = {}): Told => ({
  version: 1,
  state,
  claimedBy: state === 'pending' ? '' : RUN,
  chunks: 0,
  cancelling: false,
  ...fields,
});

describe('what to do next', () => {
  test.each<[string, Own, ToldOperation['result'] | undefined, string]>([
    ['it waits and there is room', nothing, told('pending'), 'claim'],
    ['it waits and too many run', { ...nothing, room: false }, told('pending'), 'wait'],
    ['it waits and what to run was not told', { ...nothing, hasWork: false }, told('pending'), 'wait'],
    ['this run has taken it', nothing, told('running'), 'begin'],
    ['this run has taken it, and it was cancelled since', nothing, told('running', { cancelling: true }), 'call-off'],
    ['another run had taken it and left no word', nothing, told('running', { claimedBy: 'before' }), 'give-up'],
    ['it runs', begun(), told('running'), 'wait'],
    ['it runs and wrote', begun({ pieces: 2 }), told('running', { chunks: 1 }), 'output'],
    ['it runs and all is told', begun({ pieces: 2 }), told('running', { chunks: 2 }), 'wait'],
    ['it ended and wrote', ended({ pieces: 2 }), told('running', { chunks: 1 }), 'output'],
    ['it ended and all it wrote is told', ended({ pieces: 2 }), told('running', { chunks: 2 }), 'end'],
    ['its end is written down', ended({ pieces: 2 }), told('done', { chunks: 2 }), 'forget'],
    ['it counts as unknown while it runs', begun(), told('unknown'), 'wait'],
    ['it counts as unknown and ended', ended(), told('unknown'), 'end'],
    ['it is unknown here too', ended({ end: 'unknown' }), told('unknown'), 'forget'],
    [
      'it is unknown and what it wrote is not all told',
      ended({ end: 'unknown', pieces: 1 }),
      told('unknown'),
      'output',
    ],
    ['it is unknown and nothing of it is here', nothing, told('unknown'), 'forget'],
    ['the environment does not know it', ended(), null, 'forget'],
    ['the environment does not know it while it runs', begun(), null, 'wait'],
    ['nothing was told and it is on disk', ended(), undefined, 'ask'],
    ['nothing was told', nothing, undefined, 'wait'],
  ])('%s', (_, own, what, act) => {
    expect(decide(own, what, RUN)).toBe(act);
  });

  test('what is on disk is never begun again, whatever is told', () => {
    const states = ['pending', 'running', 'done', 'failed', 'cancelled', 'timed-out', 'unknown'] as const;
    for (const own of [begun(), ended(), begun({ pieces: 3 }), ended({ pieces: 3, end: 'unknown' })]) {
      for (const what of [undefined, null, ...states.map((state) => told(state))]) {
        expect(['claim', 'begin']).not.toContain(decide(own, what, RUN));
      }
    }
  });
});

test('what somebody wants ended, or the environment counts as over, is ended', () => {
  expect(isUnwanted(told('running'))).toBe(false);
  expect(isUnwanted(told('unknown'))).toBe(false);
  expect(isUnwanted(undefined)).toBe(false);
  expect(isUnwanted(told('running', { cancelling: true }))).toBe(true);
  expect(isUnwanted(told('failed'))).toBe(true);
  expect(isUnwanted(null)).toBe(true);
});
