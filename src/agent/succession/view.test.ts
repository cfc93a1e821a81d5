import { Timestamp } from 'mongodb';
import { describe, expect, test } from 'vitest';
import type { SetConfig, SetStatus } from '../../replicaset/wire.js';
import { before, confirmsSilence, nearEnough, viewOf } from './view.js';

const NOW = 100_000;
const wire = (s: number) => ({ ts: new Timestamp({ t: s, i: 1 }), t: 1 });
const config: SetConfig = {
  ...{ _id: 'juju', version: 4, term: 1 },
  members: ['east', 'east', 'west'].map((zone, id) => ({
    ...{ _id: id, host: `m${id}:1`, votes: 1, priority: 1, tags: { machine: String(id), zone } },
  })),
};

/** What member `self` answers; the primary is 0, heard `heardAgo` ms ago. */
function status(self: number, heardAgo: number, more: Partial<SetStatus> = {}): SetStatus {
  const heard = new Date(NOW - heardAgo);
  const members = config.members.map(({ _id, host }) => ({
    ...{ _id, name: host, health: 1, state: _id === 0 ? 1 : 2, stateStr: _id === 0 ? 'PRIMARY' : 'SECONDARY' },
    ...{ self: _id === self, optime: wire(50), lastHeartbeat: heard, lastHeartbeatRecv: heard },
  }));
  const optimes = { appliedOpTime: wire(49) };
  return {
    ...{ date: new Date(NOW), myState: 2, term: 1, syncSourceHost: 'm0:1', heartbeatIntervalMillis: 500, optimes },
    ...{ members, ...more },
  };
}

test('the own mongod tells who is primary, what it follows and how far it is', () => {
  expect(viewOf(status(1, 100), config)).toMatchObject({
    ...{ self: 1, primary: 0, syncSource: 0, state: 'SECONDARY', term: 1, heartbeatMs: 500 },
    ...{ optime: { t: 1, s: 49, i: 1 }, primaryOptime: { t: 1, s: 50, i: 1 } },
  });
  expect(viewOf(status(9, 100), config)).toBeNull();
});

test("the order of succession: the primary's zone last", () => {
  const view = viewOf(status(1, 100), config);
  if (view === null) throw new Error('no view');
  expect(before(view, 0)).toHaveLength(1);
  expect(before({ ...view, self: 2 }, 0)).toEqual([]);
  expect(before({ ...view, self: 0 }, 0)).toBeNull();
});

test('near enough is up to two seconds behind; the voters judge the rest', () => {
  const view = viewOf(status(1, 100), config);
  if (view === null) throw new Error('no view');
  expect(nearEnough(view)).toBe(true);
  expect(nearEnough({ ...view, optime: { t: 1, s: 47, i: 9 } })).toBe(false);
  expect(nearEnough({ ...view, optime: { t: 1, s: 40, i: 9 }, primaryOptime: null })).toBe(true);
});

describe('another member confirms silence', () => {
  test('when it has heard nothing for longer than a heartbeat', () => {
    expect(confirmsSilence(status(2, 700), 0)).toBe(true);
    expect(confirmsSilence(status(2, 550), 0)).toBe(false);
  });

  test('not when either has come through: its question or its answer', () => {
    const seen = status(2, 700);
    const members = seen.members.map((m) => (m._id === 0 ? { ...m, lastHeartbeatRecv: new Date(NOW - 200) } : m));
    expect(confirmsSilence({ ...seen, members }, 0)).toBe(false);
  });

  test('not when it is that member itself, or knows another primary', () => {
    expect(confirmsSilence(status(0, 700), 0)).toBe(false);
    const seen = status(2, 700);
    const members = seen.members.map((m) => (m._id === 1 ? { ...m, stateStr: 'PRIMARY' } : m));
    expect(confirmsSilence({ ...seen, members }, 0)).toBe(false);
  });
});
