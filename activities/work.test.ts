import { describe, expect, test } from 'vitest';
import type { MachineDocument } from '../src/state/documents.js';
import { mayEnd } from './endings.js';
import { free, type Held, workOn } from './work.js';

const instance = { id: 'i-1', address: '127.0.0.2', ports: { api: 1, mongo: 2 }, state: 'running' };
const machine = (fields: Partial<MachineDocument>) =>
  ({ _id: '1', life: 'alive', nonce: 'n', instance: null, memberId: null, zone: 'a', ...fields }) as MachineDocument;

const given = (machines: readonly MachineDocument[], held: Held) => free(workOn('provisioner', machines, []), held);
const start = { kind: 'start', machine: '1', nonce: 'n', zone: 'a', retries: 0 } as const;

describe('the firewaller', () => {
  const ingress = { rules: [], version: 3, applied: 2, address: '', error: '' };
  const exposed = (fields: Partial<MachineDocument> = {}) =>
    machine({ instance: instance as MachineDocument['instance'], ingress, ...fields });
  const work = { kind: 'open-ports', machine: '1', retries: 3, version: 3 } as const;

  test('opens what is wanted and not in effect', () => {
    expect(workOn('firewaller', [exposed()], [])).toEqual([work]);
    expect(workOn('firewaller', [exposed({ ingress: { ...ingress, applied: 3 } }), machine({})], [])).toEqual([]);
  });

  test('rests after a failure, but not from other rules', () => {
    const rests = { resting: ['1'], retries: { '1': 3 } };
    expect(free(workOn('firewaller', [exposed()], []), rests)).toEqual([]);
    const changed = exposed({ ingress: { ...ingress, version: 4 } });
    expect(free(workOn('firewaller', [changed], []), rests)).toEqual([{ ...work, retries: 4, version: 4 }]);
  });
});

describe('the provisioner', () => {
  test('starts what is alive and has no instance', () => {
    expect(workOn('provisioner', [machine({})], [])).toEqual([start]);
  });

  test('leaves alone what has an instance, is dying, or rests after a failure', () => {
    const others = [machine({ instance: instance as MachineDocument['instance'] }), machine({ life: 'dying' })];
    expect(workOn('provisioner', others, [])).toEqual([]);
    expect(given([machine({})], { resting: ['1'] })).toEqual([]);
  });

  test('ends the instance of a dead machine, by its ID and nonce, once', () => {
    const dead = (state: string) =>
      machine({ life: 'dead', instance: { ...instance, state } as MachineDocument['instance'] });
    expect(workOn('provisioner', [dead('running')], [])).toEqual([
      { kind: 'terminate', machine: '1', instance: 'i-1', nonce: 'n', retries: 0 },
    ]);
    expect(workOn('provisioner', [dead('terminated')], [])).toEqual([]);
  });

  test('a retry that a person asks for ends a rest, once', () => {
    const rests = { resting: ['1'], retries: { '1': 0 } };
    expect(given([machine({})], rests)).toEqual([]);
    expect(given([machine({ retries: 1 })], rests)).toEqual([{ ...start, retries: 1 }]);
    expect(given([machine({ retries: 1 })], { ...rests, retries: { '1': 1 } })).toEqual([]);
  });

  test('gives out what nobody has begun, and no more than can be done', () => {
    const machines = ['1', '2', '3', '4'].map((_id) => machine({ _id }));
    const most = given(machines, { resting: ['2'], busy: [start], most: 1 });
    expect(most.map((work) => work.machine)).toEqual(['3']);
    expect(given([machine({ zone: 'b' })], { resting: [], busy: [start] })).toHaveLength(1);
    // Its instance was recorded and it died while its start was still being told: that is another piece.
    const dead = machine({ life: 'dead', instance: instance as MachineDocument['instance'] });
    expect(given([dead], { resting: [], busy: [start] })).toHaveLength(1);
  });
});

test('the cleaner forgets the dead whose instance is gone or never was, and who is no member any more', () => {
  const gone = { ...instance, state: 'terminated' } as MachineDocument['instance'];
  const machines = [
    machine({ _id: '1', life: 'dead' }),
    machine({ _id: '2', life: 'dead', instance: gone }),
    machine({ _id: '3', life: 'dead', instance: instance as MachineDocument['instance'] }),
    machine({ _id: '4', life: 'dying', instance: gone }),
    machine({ _id: '5', life: 'dead', instance: gone, memberId: 7 }),
  ];
  expect(workOn('cleaner', machines, [7]).map((work) => work.machine)).toEqual(['1', '2']);
});

test('who may end an instance, by the life of its machine', () => {
  const lives = ['alive', 'dying', 'dead'] as const;
  expect(lives.map((life) => mayEnd('provisioner', life))).toEqual([false, false, true]);
  expect(lives.map((life) => mayEnd('destroy', life))).toEqual([true, true, true]);
});
