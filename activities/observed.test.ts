import { expect, test } from 'vitest';
import type {
  EnvironmentDocument,
  MachineDocument,
  PresenceDocument,
  SettingDocument,
} from '../src/state/documents.js';
import { type Facts, observedFrom, seenAs } from './observed.js';

const at = new Date('2026-01-01T00:00:00Z');
const environment = { cloud: 'local', life: 'alive', version: 4, zones: ['a'], nextMachine: 2, nextMember: 2 };
const machine = {
  _id: '1',
  jobs: ['manage-state'],
  life: 'alive',
  zone: 'a',
  memberId: 1,
  instance: { id: 'i', address: '127.0.0.3', ports: { api: 17070, mongo: 37017 }, state: 'running' },
  provisioningError: '',
  maintenanceUntil: null,
  resyncs: 0,
  createdAt: at,
};
const beat = (status = 'started') => ({
  _id: '1',
  seq: 9,
  report: { status, services: { mongod: { state: 'running' }, api: { state: 'starting' } }, addressVersion: 3 },
});

const see = (fields: Partial<Facts>) =>
  observedFrom({
    set: null,
    environment: environment as EnvironmentDocument,
    machines: [machine as MachineDocument],
    presence: [beat() as PresenceDocument],
    addresses: null,
    settings: [],
    silent: new Map(),
    missed: new Map(),
    instances: {},
    databaseTime: new Date(at.getTime() + 5000),
    ...fields,
  });

test('a machine whose agent beats: what it reports counts', () => {
  expect(see({}).machines[0]).toMatchObject({
    agent: 'started',
    silentMs: 0,
    mongo: '127.0.0.3:37017',
    instance: 'running',
    services: { mongod: true, api: false, worker: false },
    addressVersion: 3,
    ageMs: 5000,
  });
});

test('a mongod with the data of a member that the machine was before does not count', () => {
  const running = (member: number) => {
    const { report, ...beats } = beat();
    const presence = { ...beats, report: { ...report, mongod: { version: '', parameters: {}, member } } };
    return see({ presence: [presence as unknown as PresenceDocument] }).machines[0]?.services.mongod;
  };
  expect(running(1)).toBe(true);
  expect(running(0)).toBe(false);
});

test('maintenance holds until its time is over by the database’s clock', () => {
  const until = (seconds: number) => {
    const maintenanceUntil = new Date(at.getTime() + 1000 * seconds);
    return see({ machines: [{ ...machine, maintenanceUntil } as MachineDocument] }).machines[0]?.maintenance;
  };
  expect(see({}).machines[0]?.maintenance).toBe(false);
  expect(until(6)).toBe(true);
  expect(until(4)).toBe(false);
});

test('a silent agent is down, and what it reported before counts no more', () => {
  const seen = see({ silent: new Map([['1', 6000]]), missed: new Map([['1', 5500]]) }).machines[0];
  expect(seen).toMatchObject({ agent: 'down', silentMs: 5500, services: { mongod: false } });
});

test('an agent that could not be heard is down, and has not been silent for any of its grace', () => {
  const seen = see({ silent: new Map([['1', 300_000]]) }).machines[0];
  expect(seen).toMatchObject({ agent: 'down', silentMs: 0 });
});

test('an agent that said that it stops has stopped once it is silent', () => {
  const presence = [beat('stopping') as PresenceDocument];
  expect(see({ presence, silent: new Map([['1', 200]]) }).machines[0]?.agent).toBe('started');
  expect(see({ presence, silent: new Map([['1', 1500]]) }).machines[0]?.agent).toBe('stopped');
});

test('one that was never heard of is pending, not silent', () => {
  expect(see({ presence: [] }).machines[0]).toMatchObject({ agent: 'pending', silentMs: 0 });
});

test("the cloud's own word of just now comes before what was written down", () => {
  expect(see({ instances: { 1: 'stopped' } }).machines[0]?.instance).toBe('stopped');
  expect(seenAs('paused')).toBe('running');
  expect(seenAs('stopping')).toBe('stopped');
});

test('grace comes from the cloud, and from the settings where they say otherwise', () => {
  expect(see({}).grace).toEqual({ stoppedMs: 0, runningMs: 15_000, silentMs: 15_000, memberMs: 600_000 });
  const settings = [{ _id: 'grace', value: '30s' } as SettingDocument];
  expect(see({ settings }).grace).toMatchObject({ runningMs: 30_000, silentMs: 30_000 });
  const resync = [{ _id: 'resync-after', value: '5s' } as SettingDocument];
  expect(see({ settings: resync }).grace.memberMs).toBe(5000);
});
