import { expect, test } from 'vitest';
import { checkNoMajority, checkNoOwner, endsWithoutMajority } from './endings.js';

test('who acts without a majority is fenced by there being none still', () => {
  expect((['provisioner', 'destroy', 'membership', 'recover'] as const).filter(endsWithoutMajority)).toEqual([
    'membership',
    'recover',
  ]);
});

test.each([
  ['membership', 'not-yet'],
  ['recover', 'has-majority'],
] as const)('a late end of %s ends nobody once there is a primary again', (ender, code) => {
  expect(() => checkNoMajority(ender, { primary: '1', voters: 2 })).toThrow(expect.objectContaining({ code }));
  expect(() => checkNoMajority(ender, { primary: null, voters: 2 })).not.toThrow();
  expect(() => checkNoMajority(ender, null)).not.toThrow();
});

test('a late end of the silent one of two ends nobody during an election of three', () => {
  expect(() => checkNoMajority('membership', { primary: null, voters: 3 })).toThrow(
    expect.objectContaining({ code: 'not-yet' }),
  );
  expect(() => checkNoMajority('recover', { primary: null, voters: 3 })).not.toThrow();
});

test('a leftover is ended only where the machine of its tag is not known, or has another instance', () => {
  const request = { machine: '3', instance: 'i-3' };
  expect(() => checkNoOwner(request, null)).not.toThrow();
  expect(() => checkNoOwner(request, { instance: 'i-4' })).not.toThrow();
  for (const instance of ['', 'i-3']) {
    expect(() => checkNoOwner(request, { instance })).toThrow(expect.objectContaining({ code: 'may-not-end' }));
  }
});
