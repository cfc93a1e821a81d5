import { expect, test } from 'vitest';
import type { Observation } from '../activities/observe.js';
import type { Deed } from '../src/membership/types.js';
import { evidenceOf } from './evidence.js';

function observation(machine: object, member: object | null = { state: 'DOWN', healthy: false }): Observation {
  const set = {
    version: 9,
    term: 3,
    committed: true,
    primary: 0,
    members: member === null ? [] : [{ id: 2, machine: '2', ...member }],
    notes: [{ member: 0, version: 9, noted: true }],
  };
  const machines = [{ id: '2', memberId: 2, agent: 'down', silentMs: 16_240, instance: 'terminated', ...machine }];
  return {
    observed: { set, machines },
    evidence: { '2': 812 },
    expired: false,
    askCloud: false,
  } as unknown as Observation;
}

const evidence = (deed: Deed, seen: Observation, fence: { version: number; term: number } | null = null) =>
  evidenceOf({ kind: 'do', deed, text: '', reason: '', fence }, seen);

const CONFIG = 'config 9 of term 3, on a majority; primary member 0';

test('a verdict tells the cloud’s word, the silence, the presence it was judged from, the member and the config', () => {
  expect(evidence({ kind: 'mark-dying', machines: ['2'] }, observation({}))).toEqual([
    'machine 2: the cloud says terminated; its agent is down, silent for 16.2 s, presence 812; member 2 DOWN',
    CONFIG,
  ]);
});

test('checks of the cloud that fail are told beside its word, where it says that the instance runs', () => {
  const dying: Deed = { kind: 'mark-dying', machines: ['2'] };
  expect(evidence(dying, observation({ instance: 'running', checks: 'failing' }))[0]).toContain(
    'machine 2: the cloud says running, and its checks fail; its agent is down',
  );
  expect(evidence(dying, observation({ checks: 'failing' }))[0]).toContain('the cloud says terminated; ');
});

test('a machine that never came up, and a cloud that could not be asked', () => {
  const seen = observation({ agent: 'pending', ageMs: 300_000, instance: 'unknown' }, null);
  expect(evidence({ kind: 'mark-dying', machines: ['2'] }, seen)[0]).toBe(
    'machine 2: the cloud could not be asked; its agent was never heard in 300.0 s, presence 812; no member',
  );
});

test('a reconfig tells the config it was planned on, a change of documents nothing', () => {
  const grant: Deed = { kind: 'grant-vote', member: 2, machine: '2' };
  expect(evidence(grant, observation({}), { version: 9, term: 3 })).toEqual([CONFIG]);
  expect(evidence({ kind: 'publish', machines: ['2'] }, observation({}))).toEqual([]);
});

test('a forced config tells the note that allowed it', () => {
  const force: Deed = { kind: 'force-survivor', member: 0, machine: '0' };
  expect(evidence(force, observation({}), { version: 9, term: 3 })).toEqual([
    'the oplog of member 0 holds the note of config 9',
    CONFIG,
  ]);
});
