import { describe, expect, test } from 'vitest';
import { readScenario } from '../../test/support/membership/scenario.js';
import { controllersOf, goalFor, goalForOne, goalForReplace, goalForSwitchover, goalToRestore } from './goal.js';

const three = readScenario(`
wanted: 3 controllers
machines: [0 controller, 1 controller, 2 controller, 3 workload, 4 workload silent=9s, 5 workload dying]
members: [0 SECONDARY vote, 1 PRIMARY vote, 2 SECONDARY vote]
`).observed;
const one = readScenario(`
wanted: 1 controller
machines: [0 controller, 3 workload]
members: [0 PRIMARY vote]
`).observed;

describe('how many', () => {
  test.each([1, 3, 5, 7, '3', ' 5 ', '+7'])('%s can be had', (n) => {
    expect(controllersOf(n)).toEqual({ ok: true, controllers: Number(n) });
  });

  test.each([
    [4, '4 controllers cannot be had: a majority needs an odd number.', 'Ask for 3 or 5.'],
    [2, '2 controllers cannot be had: a majority needs an odd number.', 'Ask for 1 or 3.'],
    ['6', '6 controllers cannot be had: a majority needs an odd number.', 'Ask for 5 or 7.'],
    [0, '0 controllers cannot be had: an environment has at least one.', 'Ask for 1, 3, 5 or 7.'],
    ['-3', '-3 controllers cannot be had: an environment has at least one.', 'Ask for 1, 3, 5 or 7.'],
    [9, '9 controllers cannot be had: at most seven members of a replica set vote.', 'Ask for 7 or fewer.'],
    [
      '1000000000000000000000',
      '1000000000000000000000 controllers cannot be had: at most seven members of a replica set vote.',
      'Ask for 7 or fewer.',
    ],
    ['three', '"three" is no number of controllers.', 'Ask for 1, 3, 5 or 7.'],
    ['3.5', '"3.5" is no number of controllers.', 'Ask for 1, 3, 5 or 7.'],
    ['0x3', '"0x3" is no number of controllers.', 'Ask for 1, 3, 5 or 7.'],
    ['', '"" is no number of controllers.', 'Ask for 1, 3, 5 or 7.'],
    [Number.NaN, '"NaN" is no number of controllers.', 'Ask for 1, 3, 5 or 7.'],
  ])('%s cannot', (n, message, todo) => expect(controllersOf(n)).toEqual({ ok: false, message, todo }));
});

describe('enable-ha', () => {
  const goal = (asked: Parameters<typeof goalFor>[1], desired = 1, seen = three) => goalFor(seen, asked, desired);

  test('without -n: what was asked for before, at least 3', () => {
    expect(goal({}, 1)).toMatchObject({ goal: { controllers: 3 } });
    expect(goal({}, 5)).toMatchObject({ goal: { controllers: 5 } });
  });

  test('--to names machines that are none yet, and leaves room for them', () => {
    expect(goal({ n: 5, to: ['3', '3'] })).toMatchObject({ goal: { controllers: 5, to: ['3'] } });
    expect(goal({ n: 5, to: ['1'] })).toMatchObject({ ok: false, message: 'Machine 1 is a controller already.' });
    expect(goal({ n: 5, to: ['8'] })).toMatchObject({ ok: false, message: 'There is no machine 8.' });
    expect(goal({ n: 5, to: ['4'] })).toMatchObject({ ok: false, message: 'The agent of machine 4 is not heard.' });
    expect(goal({ n: 5, to: ['5'] })).toMatchObject({ ok: false, message: 'Machine 5 is on its way out.' });
    expect(goal({ n: 3, to: ['3'] })).toMatchObject({
      ok: false,
      message: '--to names 1 machine, and no controller is missing from 3.',
    });
    expect(goal({ to: ['3'] }, 1, one)).toMatchObject({ goal: { controllers: 3, to: ['3'] } });
  });

  test('--keep and those to avoid are controllers', () => {
    expect(goal({ n: 1, keep: ['3'] })).toMatchObject({
      ok: false,
      message: 'Machine 3 is no controller.',
      todo: 'The controllers are 0, 1, 2.',
    });
    expect(goal({ n: 1, keep: ['0', '1'] })).toMatchObject({
      ok: false,
      message: '2 machines cannot stay where 1 is wanted.',
    });
    expect(goal({ n: 3, keep: ['0'], avoid: ['0'] })).toMatchObject({ ok: false });
  });
});

describe('disable-ha', () => {
  test('keeps the primary, or the one that is named', () => {
    expect(goalForOne(three)).toMatchObject({ goal: { controllers: 1, keep: ['1'] } });
    expect(goalForOne(three, '2')).toMatchObject({ goal: { controllers: 1, keep: ['2'] } });
    expect(goalForOne(three, '9')).toMatchObject({ ok: false, message: 'Machine 9 is no controller.' });
  });
});

describe('replace', () => {
  const replace = (id: string, seen = three) => goalForReplace(seen, id, 3);

  test('as many as before, without that one', () => {
    expect(replace('1')).toEqual({
      ok: true,
      goal: { controllers: 3, keep: [], avoid: ['1'], to: [], settle: false, primary: null },
    });
  });

  test('is refused where there is nothing to replace', () => {
    expect(replace('9')).toMatchObject({ ok: false, message: 'There is no machine 9.' });
    expect(replace('3')).toMatchObject({ ok: false, message: 'Machine 3 is no controller.' });
    expect(replace('0', one)).toMatchObject({
      ok: false,
      message: 'Machine 0 is the only controller.',
      todo: 'Have more of them first, with: quorate enable-ha',
    });
  });

  test('twice is refused: the first has taken it out', () => {
    const seen = readScenario(
      'wanted: 3 controllers\nmachines: [0 controller, 1 controller, 2 controller dying, 3 jobless dying]\nmembers: [0 PRIMARY vote]',
    ).observed;
    expect(replace('2', seen)).toMatchObject({ ok: false, message: 'Machine 2 is on its way out already.' });
    expect(replace('3', seen)).toMatchObject({ ok: false, message: 'Machine 3 is on its way out already.' });
  });

  test('the sentinel asks for as many as were asked for, and for nobody by name', () => {
    expect(goalToRestore(5)).toEqual({ controllers: 5, keep: [], avoid: [], to: [], settle: false, primary: null });
  });
});

describe('switchover', () => {
  const five = readScenario(`
wanted: 5 controllers
machines: [0 controller, 1 controller maintenance, 2 controller zone=a, 3 controller zone=b, 4 controller silent=9s zone=c, 5 workload, 6 controller dying, 7 controller]
members: [0 PRIMARY vote, 1 SECONDARY vote, 2 SECONDARY vote behind, 3 SECONDARY vote, 4 SECONDARY vote unreachable, 6 SECONDARY vote, 7 SECONDARY no-vote]
`).observed;

  test('without --to: the first in the order of succession that could at once', () => {
    expect(goalForSwitchover(five)).toMatchObject({ ok: true, goal: { settle: true, primary: '3', controllers: 7 } });
    expect(goalForSwitchover(three)).toMatchObject({ ok: true, goal: { primary: '0' } });
  });

  test.each([
    ['9', 'There is no machine 9.'],
    ['5', 'Machine 5 is no controller.'],
    ['0', 'Machine 0 is primary already.'],
    ['1', 'Machine 1 is under maintenance.'],
    ['2', 'Machine 2 lags behind the primary.'],
    ['4', 'The member of machine 4 does not answer.'],
    ['6', 'Machine 6 is on its way out.'],
    ['7', 'Machine 7 does not vote.'],
  ])('to machine %s it is refused', (to, message) => {
    expect(goalForSwitchover(five, to)).toMatchObject({ ok: false, message });
  });

  test('of the only one it is refused, named or not', () => {
    expect(goalForSwitchover(one)).toMatchObject({ ok: false, message: 'Machine 0 is the only controller.' });
    expect(goalForSwitchover(one, '0')).toMatchObject({ ok: false, message: 'Machine 0 is primary already.' });
  });

  test('where nobody could take over it says why for each', () => {
    const seen = readScenario(
      'wanted: 3 controllers\nmachines: [0 controller, 1 controller maintenance, 2 controller]\nmembers: [0 PRIMARY vote, 1 SECONDARY vote, 2 SECONDARY vote behind]',
    ).observed;
    expect(goalForSwitchover(seen)).toMatchObject({
      message:
        'No other controller could take over now. Machine 1 is under maintenance. Machine 2 lags behind the primary.',
    });
    const nobody = readScenario(
      'wanted: 3 controllers\nmachines: [0 controller, 1 controller]\nmembers: [0 SECONDARY vote, 1 SECONDARY vote]',
    ).observed;
    expect(goalForSwitchover(nobody)).toMatchObject({
      message: 'No member is primary, so nothing can be handed over.',
    });
  });
});
