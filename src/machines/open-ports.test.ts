import { expect, test } from 'vitest';
import { leftOpen, type PortsOwner, toOpen } from './open-ports.js';
import { type PortRule, parsePorts } from './ports.js';

const rule = (ports: string): PortRule => ({ ...parsePorts(ports), cidrs: ['0.0.0.0/0'] });
const machine = (fields: Partial<PortsOwner> = {}): PortsOwner => ({
  _id: '3',
  life: 'alive',
  instance: { id: 'i-3', state: 'running' },
  ingress: { rules: [rule('80')], version: 2, applied: 2 },
  ...fields,
});
const wanting = { rules: [rule('80')], version: 3, applied: 2 };

test('ports are opened where other rules are wanted than are in effect, as long as there is an instance', () => {
  expect(toOpen(machine())).toBe(false);
  expect(toOpen(machine({ ingress: undefined }))).toBe(false);
  expect(toOpen(machine({ ingress: wanting }))).toBe(true);
  expect(toOpen(machine({ ingress: { ...wanting, rules: [] } }))).toBe(true);
  expect(toOpen(machine({ ingress: wanting, life: 'dying' }))).toBe(true);
  expect(toOpen(machine({ ingress: wanting, life: 'dead' }))).toBe(false);
  expect(toOpen(machine({ ingress: wanting, instance: null }))).toBe(false);
  expect(toOpen(machine({ ingress: wanting, instance: { id: 'i-3', state: 'terminated' } }))).toBe(false);
  // A machine that is off keeps what it has, and gets what is asked for meanwhile.
  expect(toOpen(machine({ ingress: wanting, instance: { id: 'i-3', state: 'stopped' } }))).toBe(true);
});

test('what is as it should be is left alone', () => {
  expect(leftOpen([machine()], [{ instance: 'i-3', rules: [rule('80')] }])).toEqual({ differing: [], leftovers: [] });
  expect(leftOpen([], [{ instance: 'i-9', rules: [] }])).toEqual({ differing: [], leftovers: [] });
});

test.each([
  ['closed', []],
  ['opened besides', [{ instance: 'i-3', rules: [rule('80'), rule('81')] }]],
  ['let in to others', [{ instance: 'i-3', rules: [{ ...rule('80'), cidrs: ['10.0.0.0/8'] }] }]],
])('what somebody has %s by hand differs', (_, open) => {
  expect(leftOpen([machine()], open)).toEqual({ differing: ['3'], leftovers: [] });
});

test('what is to be opened anyway is no news, nor what is gone', () => {
  expect(leftOpen([machine({ ingress: wanting })], [])).toEqual({ differing: [], leftovers: [] });
  expect(leftOpen([machine({ life: 'dead' })], [])).toEqual({ differing: [], leftovers: [] });
});

test('ports of instances that no machine has are left over', () => {
  const open = [
    { instance: 'i-3', rules: [rule('80')] },
    { instance: 'i-9', rules: [rule('80')] },
  ];
  expect(leftOpen([machine()], open).leftovers).toEqual(['i-9']);
  expect(leftOpen([machine({ life: 'dead' })], open).leftovers).toEqual(['i-3', 'i-9']);
  expect(leftOpen([machine({ instance: { id: 'i-4', state: 'running' } })], open).leftovers).toEqual(['i-3', 'i-9']);
});
