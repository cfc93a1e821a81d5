import { expect, test } from 'vitest';
import { readScenario } from '../../test/support/membership/scenario.js';
import { memberOf } from './facts.js';
import type { Grace, Machine } from './types.js';
import { graceLeft, LOCAL_GRACE, stillExpired } from './waits.js';

const seen = (machines: string[], members: string[]) =>
  readScenario(JSON.stringify({ wanted: '3 controllers', machines, members })).observed;

test('what has come after all is waited for again when it goes another time', () => {
  const expired = [{ for: 'healthy' as const, machines: ['1', '2'] }];
  const one = seen(['1 controller', '2 controller silent=20s'], ['0 PRIMARY vote', '1 SECONDARY vote', '2 DOWN vote']);
  expect(stillExpired(one, expired)).toEqual([{ for: 'healthy', machines: ['2'] }]);
});

test('a boot that failed is never forgotten', () => {
  const expired = [{ for: 'boot' as const, machines: ['9'] }];
  expect(stillExpired(seen(['0 controller'], ['0 PRIMARY vote']), expired)).toEqual(expired);
});

test('one that fails explains the wait for those that only lagged beside it', () => {
  const expired = [{ for: 'caught-up' as const, machines: ['1', '2'] }];
  const machines = ['0 controller', '1 controller', '2 controller'];
  expect(
    stillExpired(seen(machines, ['0 PRIMARY vote', '1 SECONDARY no-vote behind', '2 DOWN no-vote']), expired),
  ).toEqual([{ for: 'caught-up', machines: ['2'] }]);
  expect(
    stillExpired(seen(machines, ['0 PRIMARY vote', '1 SECONDARY no-vote behind', '2 SECONDARY no-vote']), expired),
  ).toEqual([{ for: 'caught-up', machines: ['1'] }]);
});

test('the grace of a silent machine is what its cloud says, less the silence so far', () => {
  const left = (machine: string, member?: string, grace: Grace = LOCAL_GRACE, others = ['0 PRIMARY vote']) => {
    const observed = { ...seen([machine], member === undefined ? others : [...others, member]), grace };
    return graceLeft(observed, observed.machines[0] as Machine, memberOf(observed, '1'));
  };
  expect(left('1 controller silent=6s')).toBe(9_000);
  expect(left('1 controller silent=6s instance=stopped')).toBe(0);
  // Silent for long while its member answered: the member still gets a moment.
  expect(left('1 controller silent=90s', '1 DOWN vote')).toBe(3_000);
  expect(left('1 controller silent=90s', '1 DOWN vote down=2s')).toBe(1_000);
  expect(left('1 controller silent=90s')).toBe(0);
  const patient = { ...LOCAL_GRACE, stoppedMs: 60_000, runningMs: 300_000, silentMs: 60_000 };
  expect(left('1 controller silent=90s', undefined, patient)).toBe(210_000);
  // Without a primary no presence is written, and the agent's silence stands still.
  expect(left('1 controller silent=3s', '1 DOWN vote down=10s')).toBe(12_000);
  expect(left('1 controller silent=3s', '1 DOWN vote down=10s', LOCAL_GRACE, ['0 SECONDARY vote'])).toBe(5_000);
});
