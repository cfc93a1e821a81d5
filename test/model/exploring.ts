import { expect, test } from 'vitest';
import { explore } from './explore.js';
import { type Group, HEADING, RUNS, told } from './runs.js';

/** Each run of the group is a test: nothing falls, every run ends, and all states were seen where none is said to be left out. */
export function exploring(group: Group): void {
  console.log(HEADING);
  test.each(RUNS.filter((run) => run.group === group).map((run) => [run.name, run] as const))('%s', (_name, run) => {
    const explored = explore(run.first, run.rules, run.most === null ? {} : { most: run.most });
    console.log(told(run, explored));
    expect(explored.found?.story.join('\n') ?? '', explored.found?.wrong.invariant).toBe('');
    expect(explored.cut).toBe(run.most !== null);
    // Otherwise nothing was shown of how it ends.
    if (run.most === null) expect([...explored.ends.keys()].some((end) => end.startsWith('DONE'))).toBe(true);
  });
}
