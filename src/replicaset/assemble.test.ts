import { Timestamp } from 'mongodb';
import { describe, expect, test } from 'vitest';
import type { OpTime } from '../membership/types.js';
import { type Answer, assemble, basisOf } from './assemble.js';
import type { SetConfig, SetStatus, WireOpTime } from './wire.js';

const NOW = new Date(100_000);
const host = (n: number) => `m${n}:37017`;
const wire = (s: number, t = 3): WireOpTime => ({ ts: new Timestamp({ t: s, i: 1 }), t });
const at = (s: number, t = 3): OpTime => ({ t, s, i: 1 });

function config(votes: readonly number[], more: Partial<SetConfig> = {}): SetConfig {
  const members = votes.map((v, n) => ({ _id: n, host: host(n), votes: v, priority: v, tags: { machine: String(n) } }));
  return { _id: 'juju', version: 7, term: 3, members, ...more };
}

/** What member `self` answers when it takes `primary` for the primary and heard each other one `heard` ms ago. */
function answer(
  self: number,
  options: { config?: SetConfig; primary?: number; term?: number; heard?: readonly (number | null)[]; s?: number } = {},
): Answer {
  const held = options.config ?? config([1, 1, 1]);
  const { primary, term = held.term ?? 3, heard = [], s = 50 } = options;
  const status: SetStatus = {
    date: NOW,
    myState: self === primary ? 1 : 2,
    term,
    syncSourceHost: '',
    heartbeatIntervalMillis: 500,
    optimes: { appliedOpTime: wire(s) },
    members: held.members.map(({ _id, host: name }) => {
      const ago = heard[_id] === undefined ? 200 : heard[_id];
      return {
        _id,
        name,
        self: _id === self,
        health: ago === null ? 0 : 1,
        state: 2,
        stateStr: ago === null ? '(not reachable/healthy)' : _id === primary ? 'PRIMARY' : 'SECONDARY',
        ...(ago !== null && { lastHeartbeatRecv: new Date(NOW.getTime() - ago) }),
      };
    }),
  };
  const hello = { isWritablePrimary: self === primary, secondary: self !== primary };
  return { host: host(self), hello, status, config: held, committed: self === primary ? true : null };
}

function look(answers: readonly Answer[], optimes: Readonly<Record<number, OpTime>> = {}) {
  const basis = basisOf(answers);
  if (basis === null) return null;
  return assemble(basis, answers, new Map(Object.entries(optimes).map(([n, o]) => [host(Number(n)), o])), []);
}

describe('the primary', () => {
  test('is whom a majority takes for it', () => {
    const set = look([answer(0, { primary: 0 }), answer(1, { primary: 0 }), answer(2, { primary: 0 })]);
    expect(set).toMatchObject({ primary: 0, committed: true, unsettled: null, reference: at(50) });
  });

  test('of the newest term counts, while the old one still takes itself for it', () => {
    const newer = config([1, 1, 1], { term: 4 });
    const set = look([
      answer(0, { primary: 0 }),
      answer(1, { primary: 1, config: newer }),
      answer(2, { primary: 1, config: newer }),
    ]);
    expect(set).toMatchObject({ primary: 1, term: 4, unsettled: 'm0:37017 still takes itself for the primary' });
  });

  test('is none yet where a set of one was just forced, whose config without a term is the newest all the same', () => {
    const { term: _, ...forced } = config([1], { version: 20 });
    const [left, survivor] = [
      answer(0),
      answer(1, { config: { ...forced, members: [config([1, 1]).members[1] as never] } }),
    ];
    for (const answers of [
      [left, survivor],
      [survivor, left],
    ])
      expect(look(answers)).toMatchObject({ primary: null, version: 20, term: -1, members: [{ id: 1 }] });
  });

  test('of before, frozen, is still shown beside the new one, and does not count', () => {
    const newer = config([1, 1, 1], { term: 4 });
    const both = (self: number): Answer => {
      const { status, ...rest } = answer(self, { primary: 1, config: newer });
      const members = status?.members.map((m) => {
        const election = new Timestamp({ t: 40 + m._id, i: 1 });
        return m._id === 0 || m._id === 1 ? { ...m, stateStr: 'PRIMARY', electionTime: election } : m;
      });
      return { ...rest, status: { ...(status as SetStatus), members: members ?? [] } };
    };
    expect(look([both(1), both(2)])).toMatchObject({ primary: 1, unsettled: null });
  });

  test('alone, with the others out of its reach, is nobody', () => {
    const set = look([answer(0, { primary: 0, heard: [0, null, null] })]);
    expect(set).toMatchObject({ primary: null, unsettled: 'a majority does not know yet that m0:37017 is primary' });
  });

  test('counts with the voters that it reaches itself, when we cannot reach them', () => {
    expect(look([answer(0, { primary: 0 })])).toMatchObject({ primary: 0, unsettled: null });
  });

  test('that others see and that does not answer is no time for a change', () => {
    const set = look([answer(1, { primary: 0 }), answer(2, { primary: 0 })]);
    expect(set).toMatchObject({
      primary: 0,
      reference: null,
      unsettled: 'the primary m0:37017 does not answer or takes no writes yet',
    });
  });

  test('that has not written its term yet is unsettled', () => {
    const set = look([answer(0, { primary: 0, term: 4 }), answer(1, { primary: 0, term: 4 })]);
    expect(set?.unsettled).toContain('has not written its term');
  });
});

describe('the members', () => {
  test('are healthy when they answer or the primary hears them, and not on an old word', () => {
    const set = look([answer(0, { primary: 0, heard: [0, 400, 5000] })]);
    expect(set?.members.map((m) => [m.healthy, m.state])).toEqual([
      [true, 'PRIMARY'],
      [true, 'SECONDARY'],
      [false, 'UNKNOWN'],
    ]);
    expect(look([answer(0, { primary: 0, heard: [0, 400, null] })])?.members[2]).toMatchObject({
      healthy: false,
      state: 'DOWN',
    });
  });

  test('that another one hears, and the primary does not, are cut off, and no part of a majority', () => {
    const cut = (heard: (number | null)[], ...others: Answer[]) =>
      look([answer(0, { primary: 0, heard }), ...others])?.members[1];
    const hears = (ago: number | null) => answer(2, { primary: 0, heard: [200, ago, 0] });
    const itself = answer(1, { heard: [null, 0, 200] });
    for (const ago of [5000, null])
      for (const other of [hears(400), itself])
        expect(cut([0, ago, 200], other)).toMatchObject({ healthy: true, cutOffMs: 0, state: 'SECONDARY' });
    // Not one that has died just now, which they notice one after the other.
    for (const heard of [
      [0, 2100, 200],
      [0, 400, 200],
    ])
      expect(cut(heard, hears(1900))).not.toHaveProperty('cutOffMs');
    expect(cut([0, null, 200], hears(null))).toMatchObject({ healthy: false });
    expect(cut([0, 5000, 200], hears(3000))).toMatchObject({ healthy: false });
    // Without a primary whose word that could be nobody is.
    expect(look([hears(400), itself])?.members[1]).not.toHaveProperty('cutOffMs');
  });

  test('have the optimes that they told themselves, against what the primary had before', () => {
    const set = look([answer(0, { primary: 0 }), answer(1, { primary: 0 }), answer(2, { primary: 0 })], {
      0: at(51),
      1: at(50),
      2: at(47),
    });
    expect(set?.members.map((m) => m.lagMs)).toEqual([0, 0, 3000]);
    expect(look([answer(0, { primary: 0 })])?.members[1]?.lagMs).toBeNull();
  });

  test('made by hand belong to no machine', () => {
    const held = config([1, 1, 1]);
    const hand = { ...held, members: held.members.map(({ tags: _, ...m }) => m) };
    expect(look([answer(0, { primary: 0, config: hand })])?.members[0]?.machine).toBeNull();
  });
});

describe('the config', () => {
  test('without a primary is the newest that was shown, committed when a majority showed it', () => {
    const newer = config([1, 1, 1], { version: 8 });
    const two = look([answer(1, { config: newer }), answer(2)]);
    expect(two).toMatchObject({ version: 8, primary: null, committed: false, unsettled: null });
    const three = look([answer(0, { config: newer }), answer(1, { config: newer }), answer(2)]);
    expect(three).toMatchObject({ version: 8, committed: true });
  });

  test('with a vote still on its way is unsettled', () => {
    const held = config([1, 1, 1]);
    const adding = { ...held, members: held.members.map((m) => (m._id === 2 ? { ...m, newlyAdded: true } : m)) };
    expect(look([answer(0, { primary: 0, config: adding }), answer(1, { primary: 0 })])?.unsettled).toContain('vote');
  });

  test('that was forced has no term, and is settled without', () => {
    const { term: _, ...forced } = config([1]);
    expect(look([answer(0, { primary: 0, config: forced })])).toMatchObject({ term: -1, primary: 0, unsettled: null });
  });

  test('is not there when nobody shows one', () => {
    const mute = { ...answer(0), status: null, config: null };
    expect(look([mute])).toBeNull();
    expect(look([])).toBeNull();
  });
});
