import { describe, expect, test } from 'vitest';
import type { AuthorityState } from '../state/authority-documents.js';
import { type MachineSeen, nextRotationStep, type RotationAsked } from './rotation.js';

const ASKED: RotationAsked = { change: 'mine', force: false, overlapMs: 5000, expired: false };
const machine = (id: string, version: number, more: Partial<MachineSeen> = {}): MachineSeen => ({
  id,
  controller: Number(id) < 3,
  version,
  silentMs: 200,
  enrolled: true,
  ended: false,
  ...more,
});
const authority = (phase: AuthorityState['phase'], more: Partial<AuthorityState> = {}): AuthorityState => ({
  version: 2,
  phase,
  trusted: '',
  voucher: '',
  since: new Date(0),
  firstMachine: 6,
  maker: '0',
  change: 'mine',
  left: [],
  ...more,
});
const step = (
  state: AuthorityState | null,
  machines: readonly MachineSeen[],
  asked: Partial<RotationAsked> = {},
  phaseMs = 60_000,
) => nextRotationStep({ authority: state, phaseMs, machines }, { ...ASKED, ...asked });
const controllers = (version: number) => ['0', '1', '2'].map((id) => machine(id, version));

describe('a rotation', () => {
  test('begins with the next CA, goes on with what another one began, and ends with what it began itself', () => {
    expect(step(null, controllers(0))).toMatchObject({ kind: 'do', deed: 'make' });
    expect(step(authority('done', { change: 'before' }), controllers(2))).toMatchObject({ deed: 'make' });
    expect(step(authority('trusting', { change: 'before' }), controllers(2))).toMatchObject({ deed: 'issue' });
    expect(step(authority('done'), controllers(2))).toMatchObject({ kind: 'done' });
  });

  test('issues by the next CA once every controller trusts both; other machines are not waited for yet', () => {
    const machines = [...controllers(2), machine('4', 0, { silentMs: 90_000 })];
    expect(step(authority('trusting'), machines)).toMatchObject({ kind: 'do', deed: 'issue' });
    const behind = [machine('0', 2), machine('1', 1), machine('2', 2)];
    expect(step(authority('trusting'), behind)).toMatchObject({
      kind: 'wait',
      limited: true,
      text: expect.stringContaining('machine 1'),
    });
  });

  test('makes the next CA again when the only one that had its key is gone', () => {
    const machines = [machine('1', 1), machine('2', 2)];
    expect(step(authority('trusting'), machines)).toMatchObject({ kind: 'do', deed: 'make' });
    // All that are there have it: nothing is lost.
    expect(step(authority('trusting'), [machine('1', 2), machine('2', 2)])).toMatchObject({ deed: 'issue' });
  });

  test('drops the CA before only when every machine is certified by the next one', () => {
    const late = [...controllers(2), machine('4', 1)];
    expect(step(authority('issuing'), late)).toMatchObject({
      kind: 'wait',
      text: expect.stringContaining('machine 4'),
    });
    const done = [...controllers(2), machine('4', 2)];
    expect(step(authority('issuing'), done)).toMatchObject({ kind: 'do', deed: 'drop', left: [] });
  });

  test('lets both in for as long as was asked for', () => {
    expect(step(authority('issuing'), controllers(2), {}, 4000)).toMatchObject({ kind: 'wait', limited: false });
    expect(step(authority('issuing'), controllers(2), {}, 5000)).toMatchObject({ deed: 'drop' });
  });

  test('waits for machines that boot with a token of the boot key before, and not for younger ones', () => {
    const booting = { version: 0, silentMs: null, enrolled: false };
    expect(step(authority('issuing'), [...controllers(2), machine('5', 0, booting)])).toMatchObject({ kind: 'wait' });
    expect(step(authority('issuing'), [...controllers(2), machine('6', 0, booting)])).toMatchObject({ deed: 'drop' });
    // It has a certificate, and nobody knows by whom before it says so.
    const enrolled = machine('6', 0, { ...booting, enrolled: true });
    expect(step(authority('issuing'), [...controllers(2), enrolled])).toMatchObject({ kind: 'wait' });
  });

  test('is blocked by machines that do not come along, and names them and why', () => {
    const machines = [...controllers(2), machine('4', 0, { silentMs: 130_000 }), machine('5', 1)];
    const blocked = step(authority('issuing'), machines, { expired: true });
    expect(blocked).toMatchObject({ kind: 'blocked', wayOut: expect.stringContaining('--force') });
    expect(blocked).toMatchObject({ reason: expect.stringContaining('4 is silent for 130 s; 5 is there') });
  });

  test('forced, leaves behind who is silent and nobody else', () => {
    const silent = machine('4', 0, { silentMs: 130_000 });
    const machines = [...controllers(2), silent];
    expect(step(authority('issuing'), machines, { force: true })).toMatchObject({ deed: 'drop', left: ['4'] });
    const here = [...machines, machine('5', 1)];
    expect(step(authority('issuing'), here, { force: true })).toMatchObject({ kind: 'wait' });
  });

  test('makes way when a controller is lost, whatever was asked for', () => {
    // Whether or not there is something left for it to do: one lock keeps it from being replaced.
    const machines = [machine('0', 2), machine('1', 2, { silentMs: 11_000 }), machine('2', 2)];
    expect(step(null, machines)).toMatchObject({
      kind: 'blocked',
      reason: expect.stringContaining('Nothing was begun'),
    });
    for (const phase of ['trusting', 'issuing', 'dropping'] as const) {
      const seen = step(authority(phase), machines, { force: true });
      expect(seen).toMatchObject({ kind: 'blocked', wayOut: expect.stringContaining('quorate replace 1') });
    }
    // One that is only late is waited for, unless its cloud says that it has ended.
    const late = (ended: boolean) => [machine('0', 2), machine('1', 1, { silentMs: 4000, ended }), machine('2', 2)];
    expect(step(authority('trusting'), late(false))).toMatchObject({ kind: 'wait' });
    expect(step(authority('trusting'), late(true))).toMatchObject({ kind: 'blocked' });
  });

  test('is at its end when the controllers have dropped it and whoever is there has had the time to', () => {
    const machines = [...controllers(2), machine('4', 1), machine('5', 1, { silentMs: 60_000 })];
    expect(step(authority('dropping'), machines)).toMatchObject({
      kind: 'wait',
      text: expect.stringContaining('machine 4'),
    });
    expect(step(authority('dropping'), machines, { expired: true })).toMatchObject({ deed: 'end' });
    const behind = [machine('0', 1), machine('1', 2), machine('2', 2)];
    expect(step(authority('dropping'), behind, { expired: true })).toMatchObject({ kind: 'blocked' });
  });
});
