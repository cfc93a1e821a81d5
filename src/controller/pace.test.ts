import { expect, test } from 'vitest';
import { isOutgrown, paceOf } from './pace.js';

test('few agents are quick, many ask and come back no more often together', () => {
  const pace = (agents: number) => paceOf(['host-units'], agents);
  expect(pace(3)).toEqual({ beatMs: 10_000, heartbeatMs: 1000, silentMs: 5000, returnWithinMs: 2 });
  expect(pace(5000)).toEqual({ beatMs: 50_000, heartbeatMs: 5000, silentMs: 10_000, returnWithinMs: 3000 });
  expect(pace(1_000_000)).toEqual({ beatMs: 60_000, heartbeatMs: 5000, silentMs: 10_000, returnWithinMs: 3000 });
});

test('controllers’ agents beat for themselves, however many others there are', () => {
  for (const agents of [0, 5000]) {
    expect(paceOf(['manage-state', 'manage-environ'], agents)).toMatchObject({ beatMs: 500, returnWithinMs: 0 });
    expect(paceOf(['host-units', 'manage-state'], agents)).toMatchObject({ heartbeatMs: 400 });
    // On its way out: it is waited for until its services have stopped.
    expect(paceOf([], agents)).toMatchObject({ heartbeatMs: 400 });
  }
});

test('a number is told again when it has doubled or halved', () => {
  expect([150, 201, 50, 49].map((agents) => isOutgrown(100, agents))).toEqual([false, true, false, true]);
});
