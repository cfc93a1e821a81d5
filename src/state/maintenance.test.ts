import { expect, test } from 'vitest';
import type { MachineDocument } from './documents.js';
import { maintenanceLeft, maintenanceMs, maintenanceRefusal, type Voter } from './maintenance.js';

const now = new Date('2026-01-01T10:00:00Z');
const later = (minutes: number) => new Date(now.getTime() + minutes * 60_000);

function machine(id: string, minutes: number | null = null, fields: Partial<MachineDocument> = {}): MachineDocument {
  return {
    ...({ _id: id, life: 'alive', jobs: ['manage-state', 'manage-environ'] } as unknown as MachineDocument),
    maintenanceUntil: minutes === null ? null : later(minutes),
    ...fields,
  };
}
const voters = (...ids: string[]): Voter[] => ids.map((id) => ({ machine: id, healthy: true }));
const silent = (id: string): Voter => ({ machine: id, healthy: false });

test('a duration is read, and what is none is refused with what to type', () => {
  expect(['1s', '90', '10m', '2h', '24h'].map(maintenanceMs)).toEqual([1000, 90_000, 600_000, 7_200_000, 86_400_000]);
  for (const bad of ['soon', '', '-5m', '10 m', '1d', '0s', '999ms', '25h', '1e9h']) {
    expect(() => maintenanceMs(bad), bad).toThrow(expect.objectContaining({ code: 'bad-duration', exit: 2 }));
  }
});

test('it ends by itself', () => {
  expect(maintenanceLeft(machine('1', 8), now)).toBe(480_000);
  expect(maintenanceLeft(machine('1', 0), now)).toBe(0);
  expect(maintenanceLeft(machine('1', -3), now)).toBe(0);
  expect(maintenanceLeft(machine('1'), now)).toBe(0);
});

const refused: [what: string, Parameters<typeof maintenanceRefusal>, RegExp | null][] = [
  ['one of three', [machine('1'), [machine('0'), machine('1')], voters('0', '1', '2'), now], null],
  [
    'a second one of three',
    [machine('1'), [machine('1'), machine('2', 8)], voters('0', '1', '2'), now],
    /Machine 1 cannot be away too: 1 of 3 voters would be left, and a majority is 2 \(under maintenance: machine 2\)/,
  ],
  ['the same one again', [machine('1', 2), [machine('1', 2), machine('2')], voters('0', '1', '2'), now], null],
  [
    'when the maintenance of the other one has ended',
    [machine('1'), [machine('1'), machine('2', -1)], voters('0', '1', '2'), now],
    null,
  ],
  ['a second one of five', [machine('1'), [machine('2', 8)], voters('0', '1', '2', '3', '4'), now], null],
  [
    'a third one of five',
    [machine('1'), [machine('2', 8), machine('3', 8)], voters('0', '1', '2', '3', '4'), now],
    /2 of 5 voters would be left, and a majority is 3 \(under maintenance: machine 2, machine 3\)/,
  ],
  [
    'one of three while another one does not answer',
    [machine('1'), [], [...voters('0', '1'), silent('2')], now],
    /\(not answering: machine 2\)/,
  ],
  ['the one that does not answer', [machine('2'), [], [...voters('0', '1'), silent('2')], now], null],
  ['one of two', [machine('1'), [], voters('0', '1'), now], /1 of 2 voters would be left, and a majority is 2\.$/],
  ['the only controller', [machine('0'), [], voters('0'), now], /Machine 0 is the only controller/],
  ['one that does not vote', [machine('5', null, { jobs: ['host-units'] }), [], voters('0'), now], null],
  ['one that is dying', [machine('1', null, { life: 'dying' }), [], voters('0', '1', '2'), now], /is dying/],
];
test.each(refused)('%s', (_, given, sentence) => {
  const refusal = maintenanceRefusal(...given);
  if (sentence === null) expect(refusal).toBeNull();
  else expect(refusal?.message).toMatch(sentence);
});
