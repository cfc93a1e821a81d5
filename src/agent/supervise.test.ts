import { describe, expect, test } from 'vitest';
import { backOff, nextFor, type ServiceView } from './supervise.js';

const idle: ServiceView = {
  wanted: false,
  process: 'none',
  failures: 0,
  endedAt: null,
  terminatedAt: null,
  stopWithinMs: 2000,
};
const now = 100_000;

describe('what a service needs next', () => {
  const cases: [string, Partial<ServiceView>, ReturnType<typeof nextFor>][] = [
    ['not wanted, not there', {}, { do: 'wait', ms: null }],
    ['wanted, never started', { wanted: true }, { do: 'start' }],
    ['wanted, killed after a long run', { wanted: true, endedAt: now }, { do: 'start' }],
    ['wanted, ended at once', { wanted: true, failures: 1, endedAt: now }, { do: 'wait', ms: 250 }],
    ['wanted, ended at once, waited', { wanted: true, failures: 1, endedAt: now - 250 }, { do: 'start' }],
    ['no longer wanted while backing off', { failures: 9, endedAt: now }, { do: 'wait', ms: null }],
    ['up and wanted', { wanted: true, process: 'up' }, { do: 'wait', ms: null }],
    ['up and not wanted', { process: 'up' }, { do: 'terminate' }],
    ['leaving in time', { process: 'terminating', terminatedAt: now - 500 }, { do: 'wait', ms: 1500 }],
    ['leaving too slowly', { process: 'terminating', terminatedAt: now - 2000 }, { do: 'kill' }],
    ['killed, not gone yet', { process: 'killed', terminatedAt: now - 9000 }, { do: 'wait', ms: null }],
    [
      'wanted again while it leaves: it leaves first',
      { wanted: true, process: 'terminating', terminatedAt: now },
      { do: 'wait', ms: 2000 },
    ],
  ];
  test.each(cases)('%s', (_, view, expected) => {
    expect(nextFor({ ...idle, ...view }, now)).toEqual(expected);
  });
});

test('back-off doubles from a quarter of a second to ten seconds', () => {
  expect([0, 1, 2, 3, 4, 7, 50].map(backOff)).toEqual([0, 250, 500, 1000, 2000, 10_000, 10_000]);
});
