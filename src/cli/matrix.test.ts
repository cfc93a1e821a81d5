import { expect, test } from 'vitest';
import type { Reach } from '../api/reach.js';
import type { Status } from '../api/status.js';
import type { Asked } from '../client/each.js';
import { matrixOf, matrixText } from './matrix.js';
import { symbols } from './output.js';

const IDS = ['0', '1', '2'];

function statusOf(sees: Readonly<Record<string, readonly string[]>> = {}, stale = false): Status {
  const controllers = IDS.map((machine) => ({ machine, agent: 'started', sees: sees[machine] ?? [] }));
  return { environment: { name: 'demo' }, stale, controllers } as unknown as Status;
}

/** What a controller answers that does not reach these. */
function answer(machine: string, cut: { api?: string[]; members?: string[]; memberProblem?: string } = {}) {
  const others = IDS.filter((id) => id !== machine);
  const body: Reach = {
    machine,
    api: others.map((id) => ({ machine: id, address: '', reached: !cut.api?.includes(id) })),
    members: cut.memberProblem
      ? []
      : others.map((id) => ({
          id: Number(id),
          host: '',
          machine: id,
          reached: !cut.members?.includes(id),
          state: 'SECONDARY',
        })),
    memberProblem: cut.memberProblem ?? '',
  };
  return { machine, api: `h${machine}:17070`, answer: body, problem: '' } satisfies Asked<Reach>;
}

const silent = (machine: string): Asked<Reach> => ({
  machine,
  api: `h${machine}:17070`,
  answer: null,
  problem: 'refused',
});

test('all reach each other', () => {
  const matrix = matrixOf(statusOf(), [answer('0'), answer('1'), answer('2')]);
  expect(matrix.api['1']).toEqual({ '0': 'reaches', '1': 'itself', '2': 'reaches' });
  expect(matrix.members['2']).toEqual({ '0': 'reaches', '1': 'reaches', '2': 'itself' });
  expect(matrix).toMatchObject({ cuts: [], errors: [], sources: { '0': 'asked' } });
});

test('a link that is cut one way shows which way, for API and member apart', () => {
  const cut = answer('1', { api: ['2'], members: ['2'] });
  expect(matrixOf(statusOf(), [answer('0'), cut, answer('2')]).cuts).toEqual([
    'Controller 1 does not reach the API and member of controller 2, though 2 reaches that of 1: the link is cut one way.',
  ]);
  const back = answer('2', { members: ['1'] });
  expect(matrixOf(statusOf(), [answer('0'), cut, back]).cuts).toEqual([
    'Controller 1 does not reach the API of controller 2, though 2 reaches that of 1: the link is cut one way.',
    "Controllers 1 and 2 do not reach each other's member.",
  ]);
});

test('who cannot be asked is an error; the rest is shown, with what its agent told', () => {
  const asked = [answer('0', { api: ['2'], members: ['2'] }), answer('1'), silent('2')];
  const matrix = matrixOf(statusOf({ '2': ['1'] }), asked);
  expect(matrix.errors).toEqual([{ machine: '2', address: 'h2:17070', problem: 'refused' }]);
  expect(matrix.sources['2']).toBe('told');
  expect(matrix.api['2']).toMatchObject({ '0': 'does not reach', '1': 'reaches' });
  expect(matrix.members['2']).toMatchObject({ '0': 'not known', '1': 'not known' });
  expect(matrix.cuts).toEqual([
    "Controllers 0 and 2 do not reach each other's API.",
    'Controller 0 does not reach the member of controller 2.',
  ]);
});

test('one that nobody reaches is down, and not cut off from each of the others', () => {
  const cut = { api: ['2'], members: ['2'] };
  const matrix = matrixOf(statusOf(), [answer('0', cut), answer('1', cut), silent('2')]);
  expect(matrix.cuts).toEqual(['No controller reaches controller 2.']);
});

test('without a majority nothing that was told before counts', () => {
  const matrix = matrixOf(statusOf({ '2': ['0', '1'] }, true), [answer('0'), silent('1'), silent('2')]);
  expect(matrix.sources).toEqual({ '0': 'asked', '1': 'none', '2': 'none' });
  expect(matrix.api['2']?.['0']).toBe('not known');
});

test('a member that cannot be asked is said beside the API that can', () => {
  const matrix = matrixOf(statusOf(), [answer('0', { memberProblem: 'it is down' }), answer('1'), answer('2')]);
  expect(matrix.errors).toEqual([{ machine: '0', address: 'h0:17070', problem: 'its member: it is down' }]);
  expect(matrix.members['0']?.['1']).toBe('not known');
  expect(matrix.members['1']?.['0']).toBe('reaches');
});

test('the table says it in symbols, within 80 columns', async () => {
  const asked = [answer('0'), answer('1', { api: ['2'] }), silent('2')];
  const text = await matrixText(matrixOf(statusOf({ '2': ['1'] }), asked), symbols({ ascii: true }));
  expect(text).toContain('API  0  1  2     MEMBER  0  1  2');
  expect(text).toContain('1    +  -  x     1       +  -  +');
  expect(text).toContain('2*   x  +  -     2       ?  ?  -');
  expect(text).toContain('2  h2:17070  refused');
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
});
