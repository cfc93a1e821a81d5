import { expect, test } from 'vitest';
import { plan } from '../src/membership/plan.js';
import { readScenario } from '../test/support/membership/scenario.js';
import { hasGrace } from './observe.js';

/** Whether machine 2 has grace left, seen like this by a change that waits for it. */
function left(machine: string, member = '2 DOWN vote down=60s', others = ['0 PRIMARY vote', '1 SECONDARY vote']) {
  const { observed, goal, expired } = readScenario(
    JSON.stringify({
      wanted: '3 controllers',
      machines: ['0 controller', '1 controller', `2 controller ${machine}`],
      members: [...others, member],
    }),
  );
  const step = plan(observed, goal, expired);
  expect(step).toMatchObject({ kind: 'wait' });
  return hasGrace(observed, step);
}

test('a wait for a silent machine does not end before its silence has counted for its grace', () => {
  expect(left('silent=0s')).toBe(true);
  expect(left('silent=10s')).toBe(true);
  expect(left('silent=15s')).toBe(false);
});

test('a wait whose time is its own ends with it: the agent is there, or nobody’s presence can be written', () => {
  expect(left('no-mongod')).toBe(false);
  expect(left('silent=3s', '2 DOWN vote down=60s', ['0 SECONDARY vote', '1 SECONDARY vote'])).toBe(false);
});
