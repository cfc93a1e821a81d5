import { expect, test } from 'vitest';
import { controllerOf, statusWith } from '../../test/support/status.js';
import { noticed } from './noticed.js';

const whole = statusWith([controllerOf('0'), controllerOf('1'), controllerOf('2')]);
const texts = (before: typeof whole, now: typeof whole) => noticed(before, now).map(({ text }) => text);

test('nothing is noticed where nothing changed but times', () => {
  expect(noticed(whole, whole)).toEqual([]);
});

test('the primary: lost, found, moved', () => {
  const none = { ...whole, ha: { ...whole.ha, primary: null } };
  const other = { ...whole, ha: { ...whole.ha, primary: '2' } };
  expect(noticed(whole, none)).toEqual([{ text: 'No primary is seen; it was machine 0', bad: true }]);
  expect(texts(none, other)).toEqual(['Machine 2 is the primary']);
  expect(texts(whole, other)).toEqual(['The primary moved from machine 0 to 2']);
});

test('controllers that come, fall silent, get their votes and go', () => {
  const without = { id: 3, state: 'SECONDARY', vote: false, healthy: true, lagSeconds: 0 };
  const joined = statusWith([...whole.controllers, controllerOf('3', { member: without })]);
  expect(texts(whole, joined)).toEqual(['Machine 3 becomes a controller']);
  const voting = statusWith([...whole.controllers, controllerOf('3')]);
  expect(texts(joined, voting)).toEqual(['Controller 3 got its vote']);
  const silent = statusWith([...whole.controllers, controllerOf('3', { agent: 'down' })]);
  expect(noticed(voting, silent)).toEqual([{ text: 'The agent of controller 3 fell silent', bad: true }]);
  expect(texts(silent, voting)).toEqual(['The agent of controller 3 is heard']);
  expect(texts(voting, whole)).toEqual(['Machine 3 is no controller any more']);
});
