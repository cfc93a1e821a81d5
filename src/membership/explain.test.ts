import fc from 'fast-check';
import { expect, test } from 'vitest';
import { goals, observations } from '../../test/support/membership/arbitrary.js';
import { readScenario } from '../../test/support/membership/scenario.js';
import { explainPlan } from './explain.js';

const explain = (text: string) => {
  const { observed, goal } = readScenario(text);
  return explainPlan(observed, goal);
};
const lines = (explained: ReturnType<typeof explainPlan>) =>
  explained.steps.map(({ text, note }) => (note === '' ? text : `${text} | ${note}`));

test('1 to 3', () => {
  const plan = explain('wanted: 3 controllers\nmachines: [0 controller]\nmembers: [0 PRIMARY vote]');
  expect(lines(plan)).toEqual([
    'start machines 1 and 2 | zones b and c',
    'wait until machines 1 and 2 are up | at most 5 min, then: give up those that are not and start others',
    'add machines 1 and 2 to the set, without votes | the majority stays 1 of 1',
    'wait until both hold all that machine 0 holds | at most 5 min, then: stop here, or take another machine for one that does not answer',
    'grant a vote to machine 1 | the majority becomes 2 of 2: either loss is survivable (docs/membership.md)',
    'grant a vote to machine 2 | the majority becomes 2 of 3',
    'publish the addresses of 0, 1, 2',
    'wait until agents and clients have the addresses | at most 30 s, then: go on: who has not heard finds them by those that stay, or by the URL',
  ]);
  expect(plan).toMatchObject({
    maintaining: ['0'],
    adding: ['1', '2'],
    converting: [],
    removing: [],
    newInstances: 2,
    warnings: [],
  });
  expect(plan.end).toEqual({ kind: 'done', text: '3 of 3 vote; primary machine 0; any one controller can be lost.' });
});

test('3 to 1, keeping one that is not primary', () => {
  const plan = explain(
    'wanted: 1 controller, keep 1\nmachines: [0 controller, 1 controller, 2 controller]\nmembers: [0 PRIMARY vote, 1 SECONDARY vote, 2 SECONDARY vote]',
  );
  expect(plan.steps.map(({ text }) => text)).toEqual([
    'hand the primary over to machine 1',
    'publish the addresses of 1',
    'wait until agents and clients have the addresses',
    'withdraw the vote of machine 2',
    'withdraw the vote of machine 0',
    'remove machines 0 and 2 from the set',
    "take the controller's jobs from machines 0 and 2",
    'wait until machines 0 and 2 have stopped serving',
    'have machines 0 and 2 terminated',
    'wait until the cloud has ended machines 0 and 2',
  ]);
  expect(plan).toMatchObject({ maintaining: ['1'], adding: [], removing: ['0', '2'], newInstances: 0 });
});

test('an existing machine is converted, and two of three in a zone are warned of', () => {
  const plan = explain(
    'wanted: 3 controllers, to 3 6\nmachines: [0 controller zone=a, 3 workload zone=a, 6 workload zone=b]\nmembers: [0 PRIMARY vote]',
  );
  expect(plan).toMatchObject({ adding: [], converting: ['3', '6'], newInstances: 0 });
  expect(plan.warnings).toEqual(['2 of 3 controllers would be in zone a: losing it takes the majority.']);
});

test('nothing to do is no step; what blocks is said', () => {
  expect(explain('wanted: 1 controller\nmachines: [0 controller]\nmembers: [0 PRIMARY vote]').steps).toEqual([]);
  const stuck = explain(
    'wanted: 3 controllers\nmachines: [0 controller silent=90s instance=terminated, 1 controller silent=90s instance=terminated, 2 controller]\nmembers: [0 DOWN vote, 1 DOWN vote, 2 SECONDARY vote]',
  );
  expect(stuck.end).toMatchObject({ kind: 'blocked', reason: 'Only 1 of 3 voters answers, and a majority is 2.' });
});

test('whatever is seen, the explanation ends', () => {
  fc.assert(
    fc.property(observations, goals, (observed, goal) => {
      const { end, steps } = explainPlan(observed, goal);
      if (end.kind === 'blocked') expect(`${end.reason} ${end.wayOut}`).not.toMatch(/defect/);
      expect(steps.length).toBeLessThan(100);
    }),
    { numRuns: 300 },
  );
}, 60_000);
