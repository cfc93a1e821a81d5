import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { guards, planWithout } from '../../test/support/membership/mutants.js';
import { wrongs } from '../../test/support/membership/oracle.js';
import { readScenario } from '../../test/support/membership/scenario.js';
import { plan, RULES } from './plan.js';
import type { Step } from './types.js';

const folder = new URL('./scenarios/', import.meta.url);
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** What a step says, in the order in which a person would tell it. */
function told(step: Step): object {
  if (step.kind === 'do') {
    const { kind, ...what } = step.deed;
    return { do: step.text, because: step.reason, deed: { [kind]: what } };
  }
  if (step.kind === 'wait') {
    const { text, reason, deadlineMs, otherwise } = step;
    return {
      wait: text,
      because: reason,
      for: [step.for, ...step.machines].join(' '),
      'at most': `${deadlineMs / 1000} s`,
      otherwise,
    };
  }
  return step.kind === 'done' ? { done: step.text } : { blocked: step.reason, 'way out': step.wayOut };
}

describe('scenarios', () => {
  test.each(names)('%s', async (name) => {
    const { observed, goal, expired } = readScenario(readFileSync(new URL(`${name}/seen.yaml`, folder), 'utf8'));
    const step = plan(observed, goal, expired);
    expect(wrongs(observed, goal, step)).toEqual([]);
    await expect(stringify(told(step), { lineWidth: 0 })).toMatchFileSnapshot(`scenarios/${name}/step.yaml`);
  });

  test('there are at least forty', () => expect(names.length).toBeGreaterThanOrEqual(40));
});

describe('guards', () => {
  const scenarios = names.map((name) => ({
    name,
    ...readScenario(readFileSync(new URL(`${name}/seen.yaml`, folder), 'utf8')),
  }));

  test.each(guards)('without %s some scenario comes out otherwise', (guard) => {
    const mutant = planWithout(guard);
    const otherwise = scenarios.filter(({ observed, goal, expired }) => {
      return JSON.stringify(mutant(observed, goal, expired)) !== JSON.stringify(plan(observed, goal, expired));
    });
    expect(otherwise.map(({ name }) => name)).not.toEqual([]);
  });

  test('no two invariants have one name', () => {
    expect(new Set(RULES.invariants.map(({ name }) => name)).size).toBe(RULES.invariants.length);
  });
});
