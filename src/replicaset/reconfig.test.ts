import { describe, expect, test } from 'vitest';
import { alone } from './force.js';
import {
  equalPriority,
  grantVote,
  join,
  removeMembers,
  sendable,
  setTimings,
  timingsOf,
  voteChanges,
  withdrawVote,
} from './reconfig.js';
import type { SetConfig } from './wire.js';

const member = (_id: number, votes = 1) => ({
  _id,
  host: `127.0.0.${_id}:37017`,
  votes,
  priority: votes,
  tags: { machine: String(_id) },
  hidden: false,
});
const config = (...members: SetConfig['members']): SetConfig => ({
  _id: 'juju',
  version: 7,
  term: 3,
  members,
  settings: { catchUpTimeoutMillis: 0 },
});
const joiner = (n: number, zone = '') => ({ machine: String(n), memberId: n, host: `127.0.0.${n}:37017`, zone });

describe('join', () => {
  test('adds all at once, without votes, with the machine as a tag', () => {
    const next = join(config(member(0)), [joiner(1, 'east'), joiner(2)]);
    expect(next.members.slice(1)).toEqual([
      { _id: 1, host: '127.0.0.1:37017', votes: 0, priority: 0, tags: { machine: '1', zone: 'east' } },
      { _id: 2, host: '127.0.0.2:37017', votes: 0, priority: 0, tags: { machine: '2' } },
    ]);
    expect(voteChanges(config(member(0)), next)).toEqual([]);
  });

  test('leaves those that are members as they are, and answers the same config when all are', () => {
    const half = config(member(0), member(1));
    expect(join(half, [joiner(1), joiner(2)]).members.map((m) => [m._id, m.votes])).toEqual([
      [0, 1],
      [1, 1],
      [2, 0],
    ]);
    expect(join(half, [joiner(1)])).toBe(half);
  });
});

describe('votes', () => {
  test('one is granted, with priority 1, and everything else stays', () => {
    const before = config(member(0), member(1, 0), member(2, 0));
    const next = grantVote(before, 2);
    expect(next.members[2]).toEqual(member(2));
    expect(next.members.slice(0, 2)).toEqual(before.members.slice(0, 2));
    expect(voteChanges(before, next)).toEqual([2]);
    expect(grantVote(next, 2)).toBe(next);
  });

  test('one is withdrawn', () => {
    const before = config(member(0), member(1));
    expect(withdrawVote(before, 1).members[1]).toEqual(member(1, 0));
    expect(withdrawVote(withdrawVote(before, 1), 1).members.map((m) => m.votes)).toEqual([1, 0]);
  });

  test('of a member that is not there nothing changes', () => {
    const before = config(member(0));
    expect(grantVote(before, 9)).toBe(before);
    expect(withdrawVote(before, 9)).toBe(before);
  });

  test('a host under a new ID counts as two changes, as MongoDB counts it', () => {
    expect(voteChanges(config(member(0), member(1)), config(member(0), { ...member(1), _id: 5 }))).toEqual([1, 5]);
  });
});

test('priorities are made equal again, of the voters named only', () => {
  const before = config({ ...member(0), priority: 5 }, { ...member(1), priority: 2 }, member(2, 0));
  expect(equalPriority(before, [0, 2]).members.map((m) => m.priority)).toEqual([1, 2, 0]);
  expect(equalPriority(before, [2])).toBe(before);
});

test('timings are changed beside the other settings, and setting those that are there is nothing', () => {
  const timings = { heartbeatMs: 200, electionMs: 3500 };
  const next = setTimings(config(member(0)), timings);
  expect(next.settings).toEqual({
    catchUpTimeoutMillis: 0,
    heartbeatIntervalMillis: 200,
    electionTimeoutMillis: 3500,
    heartbeatTimeoutSecs: 4,
  });
  expect(timingsOf(next)).toEqual(timings);
  expect(setTimings(next, timings)).toBe(next);
  // A frozen member must not hold up every reconfig for as long as elections are put off.
  expect(setTimings(next, { heartbeatMs: 200, electionMs: 600_000 }).settings?.heartbeatTimeoutSecs).toBe(10);
});

test('members are removed, and removing those that are gone is nothing', () => {
  const before = config(member(0), member(1, 0), member(2, 0));
  expect(removeMembers(before, [1, 2]).members).toEqual([member(0)]);
  expect(removeMembers(before, [8])).toBe(before);
});

test("what is sent has the next version and none of MongoDB's own marks", () => {
  const sent = sendable(config(member(0), { ...member(1), newlyAdded: true }), 8);
  expect(sent.version).toBe(8);
  expect(sent.members[1]).toEqual(member(1));
  expect(sent.settings).toEqual({ catchUpTimeoutMillis: 0 });
});

test('the survivor alone has a vote, whatever it had before', () => {
  const forced = alone(config(member(0), member(1, 0)), 1);
  expect(forced.members).toEqual([member(1)]);
  expect(() => alone(forced, 0)).toThrow('Member 0 is not in the configuration.');
});
