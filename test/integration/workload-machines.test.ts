import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordInstance, setEnvironmentDying } from '../../src/state/machines.js';
import { writePresence } from '../../src/state/presence.js';
import type { State } from '../../src/state/state.js';
import {
  addWorkloadMachines,
  finishWorkloadMachine,
  removeWorkloadMachine,
  retryProvisioning,
} from '../../src/state/workload-machines.js';
import { leaveZone } from '../../src/state/zones.js';
import { SeededSet } from '../support/mongo.js';
import { REPORT } from '../support/report.js';

/** The transactions on workload machines' documents, on a real mongod. The tests build on each other. */
let seeded: SeededSet;
let state: State;
const fence = { epoch: 1 };

beforeAll(async () => {
  seeded = await SeededSet.start(1);
  ({ state } = seeded);
});

afterAll(() => seeded?.[Symbol.asyncDispose]());

const request = (key: string = randomUUID()) => ({ key, fingerprint: 'f' });
const add = (count: number, key?: string, constraints = {}) =>
  addWorkloadMachines(state, { count, constraints, request: request(key) });
const remove = (machine: string, force = false) =>
  removeWorkloadMachine(state, { machine, force, voters: ['0'], request: request() });
const machine = async (id: string) => (await state.machines.findOne({ _id: id })) ?? expect.fail(`no machine ${id}`);
const heard = async (id: string) => {
  await writePresence(state, [{ machine: id, session: 's', report: REPORT }]);
};
const instance = (id: string, zone?: string) => ({
  id: `i-${id}`,
  address: `127.0.1.${id}`,
  ports: { api: 17070, mongo: 37017 },
  state: 'running',
  ...(zone === undefined ? {} : { zone }),
});

test('added by many at once no ID is given out twice, each request is done once, and all are spread', async () => {
  const results = await Promise.all([...Array.from({ length: 6 }, () => add(4)), add(2, 'twice'), add(2, 'twice')]);
  expect(results.at(-1)).toEqual(results.at(-2));
  const ids = results.slice(0, -1).flatMap(({ machines }) => machines);
  expect(ids.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 26 }, (_, index) => index + 1));
  const documents = await state.machines.find({}).toArray();
  const crowd = (zone: string) => documents.filter((each) => each.zone === zone).length;
  expect(['a', 'b', 'c'].map(crowd)).toEqual([9, 9, 9]);
  expect(new Set(documents.map(({ nonce }) => nonce)).size).toBe(27);
  expect(await machine('1')).toMatchObject({ jobs: ['host-units'], memberId: null, instanceType: 'local.small' });
  await expect(add(1, 'twice-not', { cores: 64 })).rejects.toMatchObject({ code: 'unmet-constraints' });
  expect((await state.environment.findOne({}))?.nextMachine).toBe(27);
});

test('from full zone to full zone, each once, until none is left; then all anew', async () => {
  const { nonce, zone } = await machine('1');
  const leave = (from: string) => leaveZone(state, fence, { id: '1', nonce, zone: from });
  expect(await leave(zone)).toBe(true);
  const second = (await machine('1')).zone;
  expect(second).not.toBe(zone);
  // A late call about the zone that it has left.
  expect(await leave(zone)).toBe(true);
  expect(await machine('1')).toMatchObject({ zone: second, fullZones: [zone] });
  expect(await leave(second)).toBe(true);
  const third = (await machine('1')).zone;
  expect([zone, second, third].sort()).toEqual(['a', 'b', 'c']);
  expect(await leave(third)).toBe(false);
  const failed = { zone: third, fullZones: [], provisioningError: 'No room in any zone: a, b, c.', nonce };
  expect(await machine('1')).toMatchObject(failed);
  await expect(leaveZone(state, { epoch: 0 }, { id: '1', nonce, zone: third })).rejects.toMatchObject({
    code: 'wrong-epoch',
  });

  await retryProvisioning(state, { machine: '1', request: request() });
  expect(await machine('1')).toMatchObject({ retries: 1, provisioningError: '' });
  // Where it was found in the end is what counts.
  await recordInstance(state, fence, { id: '1', nonce }, instance('1', zone));
  const started = await machine('1');
  expect(started).toMatchObject({ zone, instance: { id: 'i-1' } });
  expect(started.fullZones).toBeUndefined();
  await expect(retryProvisioning(state, { machine: '1', request: request() })).rejects.toMatchObject({
    code: 'has-instance',
  });
});

test('constraints say which zones may be tried', async () => {
  const [id = ''] = (await add(1, undefined, { zones: ['b'] })).machines;
  const { nonce } = await machine(id);
  expect(await leaveZone(state, fence, { id, nonce, zone: 'b' })).toBe(false);
  expect(await machine(id)).toMatchObject({ zone: 'b', provisioningError: 'No room in zone b.' });
});

test('dying until its agent has finished, dead at once where nothing is to finish or nobody waits', async () => {
  await heard('1');
  expect(await remove('1')).toEqual({ life: 'dying' });
  await expect(remove('1')).rejects.toMatchObject({ code: 'machine-not-alive' });
  await finishWorkloadMachine(state, '1');
  await finishWorkloadMachine(state, '1');
  expect((await machine('1')).life).toBe('dead');
  expect(await remove('2')).toEqual({ life: 'dead' });
  await recordInstance(state, fence, { id: '3', nonce: (await machine('3')).nonce }, instance('3'));
  await heard('3');
  expect(await remove('3', true)).toEqual({ life: 'dead' });
  await expect(remove('0', true)).rejects.toMatchObject({ code: 'is-controller' });
  await expect(remove('99')).rejects.toMatchObject({ code: 'not-found' });
});

test('who says that it has finished changes nothing of a machine that is alive, a controller, or gone', async () => {
  await state.machines.updateOne({ _id: '0' }, { $set: { life: 'dying' } });
  for (const id of ['0', '4', '99']) await finishWorkloadMachine(state, id);
  expect([(await machine('0')).life, (await machine('4')).life]).toEqual(['dying', 'alive']);
});

test('in an environment that is being destroyed nothing is added, removed or tried again', async () => {
  await setEnvironmentDying(state, fence);
  const refused = { code: 'environment-not-alive' };
  await expect(add(1)).rejects.toMatchObject(refused);
  await expect(remove('4')).rejects.toMatchObject(refused);
  await expect(retryProvisioning(state, { machine: '4', request: request() })).rejects.toMatchObject(refused);
});
