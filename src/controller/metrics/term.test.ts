import { ObjectId, type TopologyDescription } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { Terms, termOf, termSeen } from './term.js';

const idOf = (term: number) => new ObjectId(`7fffffff${term.toString(16).padStart(16, '0')}`);
const set = (...servers: { type: string; electionId: ObjectId | null }[]) =>
  ({ servers: new Map(servers.map((server, n) => [`h${n}:1`, server])) }) as unknown as TopologyDescription;

test.each([1, 18, 2 ** 40])('the term %i is read from its election ID', (term) => {
  expect(termOf(idOf(term))).toBe(term);
});

test('the term seen is the primary’s', () => {
  const secondary = { type: 'RSSecondary', electionId: null };
  expect(termSeen(set(secondary, { type: 'RSPrimary', electionId: idOf(7) }))).toBe(7);
  expect(termSeen(set(secondary, { type: 'Unknown', electionId: null }))).toBeNull();
  expect(termSeen(set())).toBeNull();
});

describe('elections', () => {
  const after = (...seen: (number | null)[]) => {
    const terms = new Terms();
    for (const term of seen) terms.see(term);
    return [terms.term, terms.elections];
  };

  test.each([
    ['none seen', [null], [null, 0]],
    ['the first primary is no election', [3], [3, 0]],
    ['said again', [3, 3, null, 3], [3, 0]],
    ['the next one', [3, null, 4], [4, 1]],
    ['some were missed', [3, 6], [6, 3]],
    ['an old primary that does not know yet', [3, 4, 3, 4], [4, 1]],
  ])('%s', (_, seen, told) => {
    expect(after(...seen)).toEqual(told);
  });
});
