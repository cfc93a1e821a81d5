import { describe, expect, test } from 'vitest';
import {
  consequencesOf,
  type Holder,
  hasMajority,
  isForced,
  type Listed,
  ranked,
  recommended,
  refusalOf,
  type Survey,
} from './recovery.js';
import type { MemberState } from './types.js';

const at = (t: number, s: number, i = 1) => ({ t, s, i });

function holder(id: number, fields: Partial<Holder> = {}): Holder {
  return {
    id,
    machine: String(id),
    host: `h${id}:1`,
    votes: 1,
    state: 'SECONDARY' as MemberState,
    term: 3,
    config: { version: 7, term: 3 },
    applied: at(3, 100),
    committed: at(3, 99),
    ageMs: 1000,
    noted: true,
    ...fields,
  };
}

/** `voters` voters and `others` without a vote, numbered in this order. */
function survey(voters: number, holders: readonly Holder[], others = 0): Survey {
  const members = Array.from(
    { length: voters + others },
    (_, id): Listed => ({ id, machine: String(id), host: `h${id}:1`, votes: id < voters ? 1 : 0 }),
  );
  return { version: 7, members, holders, primary: null };
}

const view = (survey: Survey | null, fields = {}) => ({
  survey,
  desired: 3,
  unfinished: false,
  controllers: [],
  workloads: [],
  ...fields,
});

describe('whom to go on with', () => {
  test('the newest term counts before the optime', () => {
    const set = survey(5, [holder(0, { applied: at(3, 900) }), holder(1, { applied: at(4, 100) })]);
    expect(ranked(set).map(({ id }) => id)).toEqual([1, 0]);
  });

  test('then the optime, to the last write within a second', () => {
    const set = survey(5, [holder(0, { applied: at(3, 100, 1) }), holder(1, { applied: at(3, 100, 2) })]);
    expect(recommended(set)?.id).toBe(1);
  });

  test('one without a vote that holds more comes before a voter; of equals the voter comes first', () => {
    const more = survey(5, [holder(0), holder(5, { votes: 0, applied: at(3, 101) })], 1);
    expect(recommended(more)?.id).toBe(5);
    const same = survey(5, [holder(5, { votes: 0 }), holder(0)], 1);
    expect(recommended(same)?.id).toBe(0);
  });

  test('never one that copies, that belongs to no machine or that has nothing', () => {
    const copying = holder(0, { state: 'STARTUP2', applied: at(9, 900) });
    const unknown = holder(1, { machine: null, applied: at(9, 900) });
    const empty = holder(2, { applied: null });
    expect(recommended(survey(7, [copying, unknown, empty]))).toBeNull();
    expect(recommended(survey(7, [copying, unknown, holder(3)]))?.id).toBe(3);
  });
});

describe('what could be lost', () => {
  test('one of three: what the two others may have acknowledged among themselves', () => {
    const { safe, lost } = consequencesOf(survey(3, [holder(0)]), holder(0));
    expect(safe).toBe(false);
    expect(lost.join()).toMatch(/held only by machines 1 and 2, which do not answer/);
  });

  test('one of two whose oplog holds the note: nothing, as every majority needed it', () => {
    expect(consequencesOf(survey(2, [holder(0)]), holder(0))).toMatchObject({ safe: true, lost: [] });
  });

  test.each([
    [
      'without the note',
      holder(0, { noted: false }),
      survey(2, [holder(0, { noted: false })]),
      /does not hold the note/,
    ],
    ['the note unread', holder(0, { noted: null }), survey(2, [holder(0, { noted: null })]), /could not be read/],
    [
      'a newer config elsewhere',
      holder(0, { config: { version: 6, term: 3 } }),
      survey(2, [holder(0)]),
      /configuration 7/,
    ],
    [
      'a third without a vote is silent, which may have one since',
      holder(0),
      survey(2, [holder(0)], 1),
      /machines 1 and 2/,
    ],
  ])('one of two, %s', (_, survivor, set, expected) => {
    const { safe, lost } = consequencesOf(set, survivor);
    expect(safe).toBe(false);
    expect(lost.join()).toMatch(expected);
  });

  test('two of four hold one vote of every majority: the one that is furthest loses nothing, the other what it lacks', () => {
    const [ahead, behind] = [holder(0, { applied: at(3, 105) }), holder(1)];
    const set = survey(4, [ahead, behind]);
    expect(consequencesOf(set, ahead).safe).toBe(true);
    const { safe, lost } = consequencesOf(set, behind);
    expect(safe).toBe(false);
    expect(lost.join()).toMatch(/Machine 0 holds 5 seconds of writes that machine 1 lacks/);
  });

  test('what a majority is known to have held is said', () => {
    const { kept } = consequencesOf(survey(3, [holder(0)]), holder(0));
    expect(kept.join()).toMatch(/up to 1970-01-01 00:01:40 UTC; a majority .* up to 1970-01-01 00:01:39 UTC/);
  });
});

describe('nothing is recovered', () => {
  test('while a majority answers, elected or not', () => {
    expect(hasMajority(survey(3, [holder(0), holder(1)]))).toMatch(/2 of 3 voters answer, which is a majority/);
    const elected = { ...survey(3, [holder(0, { state: 'PRIMARY' }), holder(1)]), primary: 0 };
    expect(refusalOf(view(elected), '0')).toMatchObject({
      code: 'has-majority',
      message: expect.stringMatching(/primary/),
    });
  });

  test('a majority that answers but holds no data, or has no vote, is none', () => {
    expect(hasMajority(survey(3, [holder(0), holder(1, { state: 'STARTUP2' })]))).toBeNull();
    expect(hasMajority(survey(3, [holder(0), holder(3, { votes: 0 })], 1))).toBeNull();
  });

  test('with one that is no member, that is silent, that holds nothing; with nobody', () => {
    const set = survey(3, [holder(0, { state: 'STARTUP2' })]);
    expect(refusalOf(view(set), '9')?.code).toBe('no-survivor');
    expect(refusalOf(view(set), '1')?.code).toBe('silent-survivor');
    expect(refusalOf(view(set), '0')?.code).toBe('bad-survivor');
    expect(refusalOf(view(null), '0')?.code).toBe('no-member');
    expect(refusalOf(view(survey(3, [holder(0)])), '0')).toBeNull();
  });
});

test('what was forced before is gone on with, and nothing else that has a primary', () => {
  const alone = { ...survey(1, [holder(0, { state: 'PRIMARY' })]), primary: 0 };
  const grown = { ...survey(3, [holder(0, { state: 'PRIMARY' }), holder(1)]), primary: 0 };
  expect(isForced(view(alone), '0')).toBe(true);
  expect(isForced(view(alone, { desired: 1 }), '0')).toBe(false);
  expect(isForced(view(alone), '1')).toBe(false);
  expect(isForced(view(grown), '0')).toBe(false);
  expect(isForced(view(grown, { unfinished: true }), '0')).toBe(true);
  expect(isForced(view(survey(3, [holder(0)]), { unfinished: true }), '0')).toBe(false);
});
