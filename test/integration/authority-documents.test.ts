import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuthority, vouchFor } from '../../src/pki/authority.js';
import { fingerprint } from '../../src/pki/certificate.js';
import { dropPrevious, endRotation, issueByNext, trustNext } from '../../src/state/authority.js';
import { addControllers } from '../../src/state/machines.js';
import type { State } from '../../src/state/state.js';
import type { TestMembers } from '../support/members.js';
import { SeededSet } from '../support/mongo.js';

/** The steps of a rotation of the CA in the environment's document, on a real mongod. The tests build on each other. */
let seeded: SeededSet;
let set: TestMembers;
let state: State;

beforeAll(async () => {
  seeded = await SeededSet.start(1);
  ({ set, state } = seeded);
});
afterAll(() => seeded?.[Symbol.asyncDispose]());

const environment = async () => (await state.environment.findOne({})) ?? expect.fail('no environment');
const fence = async () => {
  const { epoch, version } = await environment();
  return { epoch, environmentVersion: version };
};
const next = async (change: string, maker = '0') => {
  const { certificate } = await createAuthority(set.environment);
  const voucher = await vouchFor(set.authority, certificate);
  return { certificate, voucher, present: set.authority.certificate, maker, change };
};
const stale = expect.objectContaining({ code: 'stale' });

test('the next CA comes after the present one, then before it, then alone; each step is made once', async () => {
  const made = await next('one');
  const late = await fence();
  const trusting = await trustNext(state, late, made);
  expect(trusting.authority).toMatchObject({ version: 1, phase: 'trusting', maker: '0', change: 'one', left: [] });
  expect(trusting.authority?.trusted).toBe(set.authority.certificate + made.certificate);
  // A late attempt, of this step or another, changes nothing.
  await expect(trustNext(state, late, made)).rejects.toEqual(stale);
  await expect(issueByNext(state, late, null)).rejects.toEqual(stale);
  await expect(dropPrevious(state, await fence(), [])).rejects.toEqual(stale);

  const [machine] = await addControllers(state, await fence(), { count: 1, zones: ['b'] });
  const issuing = await issueByNext(state, await fence(), 'sealed anew');
  expect(issuing.authority).toMatchObject({ version: 2, phase: 'issuing', firstMachine: Number(machine?._id) + 1 });
  expect(issuing.authority?.trusted).toBe(made.certificate + set.authority.certificate);
  expect(issuing.temporal.sealed).toBe('sealed anew');
  await expect(trustNext(state, await fence(), await next('two'))).rejects.toEqual(stale);

  const dropping = await dropPrevious(state, await fence(), ['7']);
  expect(dropping.authority).toMatchObject({ version: 3, phase: 'dropping', trusted: made.certificate, left: ['7'] });
  expect(dropping.caFingerprint).toBe(fingerprint(made.certificate));
});

test('at its end those who knew the keys before know nothing any more, but for controllers', async () => {
  await state.machines.updateMany({}, { $set: { knewKeys: true }, $inc: { version: 1 } });
  await state.machines.updateOne({ _id: '1' }, { $set: { jobs: ['host-units'] }, $inc: { version: 1 } });
  await endRotation(state, await fence());
  const knew = await state.machines.find({ knewKeys: true }).toArray();
  expect(knew.map(({ _id }) => _id)).toEqual(['0']);
  expect((await environment()).authority).toMatchObject({ version: 3, phase: 'done' });
  await expect(endRotation(state, await fence())).rejects.toEqual(stale);
});

test('a CA that nobody has the key of any more gives way to another one, as long as it has issued nothing', async () => {
  const present = (await environment()).authority?.trusted ?? '';
  const [lost, again] = [await next('three', '0'), await next('four', '1')];
  await trustNext(state, await fence(), lost);
  const { authority } = await trustNext(state, await fence(), again);
  expect(authority).toMatchObject({ version: 5, phase: 'trusting', maker: '1', trusted: present + again.certificate });
});
