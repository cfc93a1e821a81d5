/** Each guard is needed: without it an invariant falls, on the way told in test/model/stories. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { INVARIANTS } from '../../src/membership/safety.js';
import { guards } from '../support/membership/mutants.js';
import { explore } from './explore.js';
import { HELD_BY_OTHERS, KEPT, MUTANTS, type Mutant, rulesOf, stateOf, storyOf } from './mutants.js';

const STORIES = path.join(import.meta.dirname, 'stories');
/** More than the longest of the stories takes. */
const MOST = 200_000;
/** With the guard back, so many states without the invariant falling are enough. */
const MOST_COVERED = 40_000;

const fallen = (mutant: Mutant, lacks: Mutant['lacks'], most: number) =>
  explore(stateOf(mutant), rulesOf(mutant, lacks), {
    most,
    only: ({ invariant }) => invariant.startsWith(mutant.falls),
  }).found;

test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('without %s', async (name, mutant) => {
  const found = fallen(mutant, mutant.lacks, MOST);
  expect(found?.wrong.invariant ?? 'nothing falls').toMatch(mutant.falls);
  if (found !== null) await expect(storyOf(mutant, found)).toMatchFileSnapshot(path.join(STORIES, `${name}.txt`));
  for (const [cover, lacks] of Object.entries(mutant.covers))
    expect(fallen(mutant, lacks, MOST_COVERED)?.story ?? [], `with ${cover}`).toEqual([]);
});

test.each(Object.entries(KEPT).flatMap(([name, { lacks }]) => (lacks === null ? [] : [[name, lacks] as const])))(
  'without %s nothing falls that others do not hold',
  (_name, lacks) => {
    for (const run of HELD_BY_OTHERS)
      expect(explore(stateOf(run), rulesOf(run, lacks), { most: MOST_COVERED }).found?.story ?? []).toEqual([]);
  },
);

test('each guard of the planner and each of its invariants has a mutant, or a reason why it has none', () => {
  const known = new Set([...MUTANTS.flatMap(({ lacks }) => lacks.plan ?? []), ...Object.keys(KEPT)]);
  const names = [...guards, ...INVARIANTS.map(({ name }) => name)];
  expect([...new Set(names)].filter((name) => !known.has(name as never))).toEqual([]);
});
