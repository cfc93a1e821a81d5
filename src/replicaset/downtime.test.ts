import { expect, test } from 'vitest';
import type { Member } from '../membership/types.js';
import { Downtime } from './downtime.js';

const member = (id: number, state: Member['state']): Member => ({
  id,
  machine: String(id),
  host: '',
  votes: 1,
  priority: 1,
  state,
  healthy: state !== 'DOWN',
  optime: null,
  lagMs: null,
  downMs: 0,
});
const down = (members: readonly Member[]) => members.map(({ downMs }) => downMs);

test('counts from the first look at which a member did not acknowledge writes, until it does again', () => {
  const watch = new Downtime();
  expect(down(watch.look([member(0, 'PRIMARY'), member(1, 'DOWN')], 1000))).toEqual([0, 0]);
  expect(down(watch.look([member(0, 'PRIMARY'), member(1, 'RECOVERING')], 2500))).toEqual([0, 1500]);
  expect(down(watch.look([member(0, 'DOWN'), member(1, 'RECOVERING')], 3000))).toEqual([0, 2000]);
  expect(down(watch.look([member(0, 'DOWN'), member(1, 'SECONDARY')], 3500))).toEqual([500, 0]);
  expect(down(watch.look([member(0, 'DOWN'), member(1, 'DOWN')], 4000))).toEqual([1000, 0]);
});

test('a time in which nobody looked counts for nothing', () => {
  const watch = new Downtime();
  watch.look([member(1, 'DOWN')], 0);
  expect(down(watch.look([member(1, 'DOWN')], 1000))).toEqual([1000]);
  expect(down(watch.look([member(1, 'DOWN')], 3_601_000))).toEqual([0]);
});

test('how long one is cut off is counted apart, and it is no downtime', () => {
  const watch = new Downtime();
  const cut = { ...member(1, 'SECONDARY'), cutOffMs: 0 };
  watch.look([cut], 0);
  expect(watch.look([cut], 1500)).toEqual([{ ...cut, cutOffMs: 1500 }]);
  expect(watch.look([member(1, 'SECONDARY')], 2000)).toEqual([member(1, 'SECONDARY')]);
  expect(watch.look([cut], 2500)).toEqual([cut]);
});
