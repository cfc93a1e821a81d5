import { expect, test } from 'vitest';
import { bootActivities } from '../../activities/boot.js';
import { singletonActivities } from '../../activities/singletons.js';
import { askingActivities } from '../../workers/cloud-sides.js';
import { networkActivities } from '../../workers/controller.js';
import { boundaries, casesAt, choose, randomFrom } from './cases.js';
import { SCRIPTS } from './scripts.js';

/** Activities that no recorded history has, so that no crash case is made at them. */
const WITHOUT_CASES = {
  addJobs: 'needs a machine that is no controller; test/integration/convert.test.ts',
  closePorts: 'needs open ports of an instance that exposes none; test/integration/firewaller.test.ts',
  followBoot: 'needs a cloud whose machines boot; test/long/ec2-bootstrap.test.ts',
  forceSurvivor: 'needs the moment with two voters, and a loss in it; test/long/two-voters.test.ts, replicaset.test.ts',
  leaveZone: 'needs a zone without room; test/integration/machines.test.ts',
  lookAround: 'has no effect: what is asked for a plan before a change begins, and ends at once',
  prepareCloud: 'needs a cloud whose machines boot; test/long/ec2-bootstrap.test.ts',
  readTakeover: 'has no effect: reads a setting where a singleton begins or rests; test/integration/takeover.test.ts',
  sweep: 'needs a document that outlived its machine, and nothing leaves one; test/integration/publisher.test.ts',
  withoutOwner: 'needs an instance that belongs to no machine; test/integration/machines.test.ts',
};

test('every activity that a worker has is held in some case, but for those named with a reason', () => {
  // They are only named here, and none of them is called.
  const none = {} as never;
  const all = Object.keys({
    ...networkActivities(none),
    ...askingActivities(none),
    ...bootActivities(none),
    ...singletonActivities(),
  });
  const held = new Set(boundaries().map(({ activity }) => activity));
  expect(all.filter((activity) => !held.has(activity)).sort()).toEqual(Object.keys(WITHOUT_CASES));
});

test('every recorded history has its script, and every script its history', () => {
  expect(Object.keys(SCRIPTS).sort()).toEqual([...new Set(boundaries().map(({ history }) => history))].sort());
});

test('every activity of the recorded histories has its cases', () => {
  const all = boundaries();
  expect(all).toContainEqual({ history: 'enableHa', activity: 'grantVote', times: 2 });
  expect(all).toContainEqual(expect.objectContaining({ history: 'provisioner', activity: 'startInstance' }));
  expect(all).toContainEqual(expect.objectContaining({ history: 'replace-lost', activity: 'markDying' }));
  const one = choose(all, 'one of each', randomFrom(7));
  expect(one).toHaveLength(all.length);
  expect(choose(all, 'some', randomFrom(7))).toHaveLength(3);
  expect(choose(all, 'all', randomFrom(7))).toHaveLength(all.length * 14);
});

test('the seed alone decides, and an occurrence is one that there always is', () => {
  const all = boundaries();
  expect(choose(all, 'one of each', randomFrom(3))).toEqual(choose(all, 'one of each', randomFrom(3)));
  expect(choose(all, 'one of each', randomFrom(3))).not.toEqual(choose(all, 'one of each', randomFrom(4)));
  for (const { occurrence } of casesAt({ history: 'h', activity: 'a', times: 7 }, randomFrom(1))) {
    expect(occurrence).toBeGreaterThanOrEqual(1);
    expect(occurrence).toBeLessThanOrEqual(4);
  }
});
