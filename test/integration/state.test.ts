import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Network } from '../../activities/network.js';
import { recoveryActivities } from '../../activities/recovery.js';
import { writeWords } from '../../activities/written-words.js';
import type { Call, Controller } from '../../src/controller/call.js';
import { getSetting } from '../../src/controller/handlers/settings.js';
import { Reader } from '../../src/controller/reading.js';
import { publish, readAddresses } from '../../src/state/addresses.js';
import { readBucket, recordBucket } from '../../src/state/bucket.js';
import { beginChange, endChange, recordSteps } from '../../src/state/changes.js';
import type { AgentReport, SettingDocument } from '../../src/state/documents.js';
import { currentToken, follow, type StateEvent } from '../../src/state/follow.js';
import {
  addControllers,
  addJobs,
  dropJobs,
  forgetMachine,
  markDead,
  markDying,
  recordInstance,
  renewMember,
  setEnvironmentDying,
} from '../../src/state/machines.js';
import { readPresence, writePresence } from '../../src/state/presence.js';
import { persist } from '../../src/state/retry.js';
import { seed } from '../../src/state/seed.js';
import type { State } from '../../src/state/state.js';
import { readKept, sweep } from '../../src/state/sweep.js';
import { attempt } from '../support/attempt.js';
import { until } from '../support/home.js';
import type { TestMembers } from '../support/members.js';
import { SeededSet, seedOf, stateOf } from '../support/mongo.js';
import { REPORT } from '../support/report.js';

let seeded: SeededSet;
let set: TestMembers;
let state: State;

beforeAll(async () => {
  seeded = await SeededSet.start(3);
  ({ set, state } = seeded);
});

afterAll(() => seeded?.[Symbol.asyncDispose]());

async function fence() {
  const environment = await state.environment.findOne({});
  return { epoch: environment?.epoch ?? 0, environmentVersion: environment?.version ?? 0 };
}

const report: AgentReport = { ...REPORT, sees: ['0'] };

describe('documents', () => {
  test('seeding again changes nothing', async () => {
    const before = await state.environment.findOne({});
    await seed(state, { ...seedOf(set), settings: { 'x-late': 'no' } });
    expect(await state.environment.findOne({})).toEqual(before);
    expect(await state.settings.findOne({ _id: 'x-late' })).toBeNull();
    expect(await state.machines.findOne({ _id: '0' })).toMatchObject({ memberId: 0, life: 'alive' });
  });

  test('MongoDB itself refuses a document that is none', async () => {
    await expect(state.addresses.insertOne({ _id: 'current', version: 'one' } as never)).rejects.toThrow(/validation/);
    await expect(state.machines.updateOne({ _id: '0' }, { $set: { life: 'undead' as never } })).rejects.toThrow(
      /validation/,
    );
    await expect(state.machines.updateOne({ _id: '0' }, { $set: { jobs: ['be-nice' as never] } })).rejects.toThrow(
      /validation/,
    );
  });
});

describe('transactions', () => {
  const nothing = {
    id: 'x',
    kind: '',
    summary: '',
    workflowId: '',
    url: '',
    by: '',
    startedAt: '2026-01-01T00:00:00Z',
  };

  test('an act that was planned on older facts is refused, and so is a worker of another epoch', async () => {
    const before = await fence();
    await beginChange(state, before, { ...nothing, desired: 3 });
    await expect(addControllers(state, before, { count: 2, zones: ['b'] })).rejects.toMatchObject({ code: 'stale' });
    const late = { ...(await fence()), epoch: 0 };
    const acts = await Promise.allSettled([
      addControllers(state, late, { count: 1, zones: [''] }),
      markDead(state, late, ['0']),
      publish(state, late, ['0']),
      setEnvironmentDying(state, late),
      forgetMachine(state, late, '0'),
      beginChange(state, late, { ...nothing, desired: 5 }),
    ]);
    for (const act of acts) expect(act).toMatchObject({ status: 'rejected', reason: { code: 'wrong-epoch' } });
    expect(await state.machines.countDocuments()).toBe(1);
  });

  test('of several that were planned on the same facts one is done', async () => {
    const planned = await fence();
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, () => addControllers(state, planned, { count: 2, zones: ['b', 'c'] })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'stale' });
    }
    expect(await state.machines.find({}).sort({ _id: 1 }).toArray()).toMatchObject([
      { _id: '0', memberId: 0, zone: 'a' },
      { _id: '1', memberId: 1, zone: 'b', boot: { addresses: [expect.stringContaining(':17070')] } },
      { _id: '2', memberId: 2, zone: 'c', instance: null },
    ]);
  });

  test('a machine from its start to its end, with no ID used twice', async () => {
    const machine = await state.machines.findOne({ _id: '1' });
    const named = { id: '1', nonce: machine?.nonce ?? '' };
    await expect(publish(state, await fence(), ['0', '1'])).rejects.toMatchObject({ code: 'no-address' });
    await recordInstance(state, await fence(), named, { error: 'no room' });
    const instance = { id: 'i-1', address: '127.0.0.9', ports: { api: 17070, mongo: 37017 }, state: 'pending' };
    const recorded = await recordInstance(state, await fence(), named, instance);
    expect(recorded).toMatchObject({ provisioningError: '', instance });
    const again = await recordInstance(state, await fence(), named, { ...instance, state: 'running' });
    expect(again.instance?.recordedAt).toEqual(recorded.instance?.recordedAt);
    expect((await recordInstance(state, await fence(), named, { ...instance, state: 'running' })).version).toBe(
      again.version,
    );
    await expect(recordInstance(state, await fence(), { id: '1', nonce: 'another' }, instance)).rejects.toMatchObject({
      code: 'stale',
    });

    const published = await publish(state, await fence(), ['0', '1']);
    expect(published.servers.map(({ machine }) => machine)).toEqual(['0', '1']);
    expect((await publish(state, await fence(), ['0', '1'])).version).toBe(published.version);
    expect(await readAddresses(state)).toEqual(published);

    // It was stopped and started: where it is dialled from outside is new, and nothing else.
    const running = { ...instance, state: 'running' };
    const outside = async (publicAddress: string) => {
      await recordInstance(state, await fence(), named, { ...running, publicAddress });
      const { version, servers } = await readAddresses(state);
      return { since: version - published.version, public: servers.map((server) => server.public) };
    };
    expect(await outside('203.0.113.9')).toEqual({ since: 1, public: [undefined, '203.0.113.9:17070'] });
    expect(await outside('203.0.113.9')).toMatchObject({ since: 1 });
    expect(await outside('203.0.113.10')).toEqual({ since: 2, public: [undefined, '203.0.113.10:17070'] });
    expect(await outside('')).toEqual({ since: 3, public: [undefined, undefined] });
    // What the cloud's checks find concerns nobody who dials.
    await recordInstance(state, await fence(), named, {
      ...running,
      checks: 'failing',
      retiresAt: '2026-01-02T03:04Z',
    });
    expect((await state.machines.findOne({ _id: '1' }))?.instance).toMatchObject({ checks: 'failing' });
    await recordInstance(state, await fence(), named, running);
    expect((await state.machines.findOne({ _id: '1' }))?.instance).not.toHaveProperty('checks');
    expect((await readAddresses(state)).version).toBe(published.version + 3);

    await expect(markDead(state, await fence(), ['1'])).rejects.toMatchObject({ code: 'machine-alive' });
    await expect(forgetMachine(state, await fence(), '1')).rejects.toMatchObject({ code: 'machine-not-dead' });
    const [dropped] = await dropJobs(state, await fence(), ['1']);
    expect(dropped).toMatchObject({ jobs: [], life: 'dying', memberId: null, knewKeys: true });
    expect(await dropJobs(state, await fence(), ['1'])).toEqual([]);
    await expect(addJobs(state, await fence(), ['1'])).rejects.toMatchObject({ code: 'machine-not-alive' });
    await markDead(state, await fence(), ['1']);
    await forgetMachine(state, await fence(), '1');
    await forgetMachine(state, await fence(), '1');
    expect(await state.machines.findOne({ _id: '1' })).toBeNull();

    const [next] = await addControllers(state, await fence(), { count: 1, zones: ['b'] });
    expect(next).toMatchObject({ _id: '3', memberId: 3 });
  });

  test('a workload machine that becomes a controller again is another member', async () => {
    await state.machines.updateOne({ _id: '3' }, { $set: { jobs: ['host-units'], memberId: null } });
    expect(await addJobs(state, await fence(), ['3'])).toMatchObject([{ memberId: 4 }]);
    expect(await addJobs(state, await fence(), ['3'])).toEqual([]);
    expect(await dropJobs(state, await fence(), ['3'])).toMatchObject([{ jobs: ['host-units'], life: 'alive' }]);
    expect(await addJobs(state, await fence(), ['3'])).toMatchObject([{ memberId: 5, knewKeys: false }]);
  });

  test('a member made anew has an ID that was never used, once for each time it was decided', async () => {
    const planned = await fence();
    expect(await renewMember(state, planned, '3')).toMatchObject({ memberId: 6, resyncs: 1, jobs: expect.any(Array) });
    await expect(renewMember(state, planned, '3')).rejects.toMatchObject({ code: 'stale' });
    expect(await renewMember(state, await fence(), '3')).toMatchObject({ memberId: 7, resyncs: 2 });
  });

  test('a verdict fails when the agent has been heard of since', async () => {
    await writePresence(state, [{ machine: '3', session: 's', report }]);
    const seq = (await readPresence(state))[0]?.seq ?? 0;
    await writePresence(state, [{ machine: '3', session: 's', report }]);
    const judged = markDying(state, await fence(), ['3'], { '3': seq });
    await expect(judged).rejects.toMatchObject({ code: 'stale' });
    expect(await markDying(state, await fence(), ['3'], { '3': seq + 1 })).toMatchObject([{ life: 'dying' }]);
  });

  test('who is killed in the middle of a transaction holds others up for some seconds, not for a minute', async () => {
    const killed = await stateOf(set);
    const session = killed.client.startSession();
    session.startTransaction();
    await killed.environment.updateOne({}, { $inc: { version: 1 } }, { session });
    const before = (await fence()).environmentVersion;
    await markDying(state, await fence(), []);
    expect((await fence()).environmentVersion).toBe(before + 1);
    await expect(session.commitTransaction()).rejects.toThrow(/transaction/i);
    await session.endSession();
    await killed.close();
  });

  test('presence rises in the database and keeps when a run began', async () => {
    await writePresence(state, [{ machine: 'p', session: 'a', report }]);
    const [first] = await state.presence.find({ _id: 'p' }).toArray();
    await writePresence(state, [
      { machine: 'p', session: 'a', report: { ...report, services: {}, sees: ['$session'] } },
      { machine: 'q', session: 'a', report },
    ]);
    const [second] = await state.presence.find({ _id: 'p' }).toArray();
    expect(second).toMatchObject({ seq: 2, since: first?.since, report: { sees: ['$session'] } });
    await sleep(5);
    await writePresence(state, [{ machine: 'p', session: 'b', report }]);
    const [third] = await state.presence.find({ _id: 'p' }).toArray();
    expect(third?.seq).toBe(3);
    expect(Number(third?.since)).toBeGreaterThan(Number(first?.since));
  });

  test('the story of a change: numbered, late steps leave no trace, the first end stands', async () => {
    const startedAt = '2026-01-01T00:00:00.000Z';
    const change = { id: 'run-1', kind: 'enable-ha', summary: 's', workflowId: 'w', url: '', by: 'ana', startedAt };
    const begun = await beginChange(state, await fence(), change);
    expect(await beginChange(state, await fence(), change)).toEqual(begun);
    const other = await beginChange(state, await fence(), { ...change, id: 'run-2', workflowId: 'v' });
    expect(other.number).toBe(begun.number + 1);
    // The workflow ID is the lock: when it runs again, the run before was ended from outside.
    await beginChange(state, await fence(), { ...change, id: 'run-3', workflowId: 'v' });
    expect(await state.changes.findOne({ _id: 'run-2' })).toMatchObject({ state: 'failed' });
    const desired = async () => (await state.environment.findOne({}))?.desired;
    await beginChange(state, await fence(), { ...change, id: 'run-3', workflowId: 'v', desired: 5 });
    expect(await desired()).toBe(5);
    await beginChange(state, await fence(), { ...change, id: 'run-2', workflowId: 'v', desired: 7 });
    expect(await desired()).toBe(5);
    // One that was ended before it began, and comes when the next one has: nothing of it is remembered.
    const earlier = { ...change, id: 'run-0', workflowId: 'v', startedAt: '2025-12-31T23:59:59.000Z', desired: 7 };
    await expect(beginChange(state, await fence(), earlier)).rejects.toMatchObject({ code: 'superseded' });
    expect(await state.changes.findOne({ _id: 'run-3' })).toMatchObject({ state: 'running' });
    expect(await desired()).toBe(5);
    // Unless it is known to run: its clock was set back.
    await beginChange(state, await fence(), earlier, { holdsId: true });
    expect(await state.changes.findOne({ _id: 'run-3' })).toMatchObject({ state: 'failed' });
    expect(await desired()).toBe(7);
    const step = { text: 'a', state: 'running', reason: '', startedAt: null, seconds: null } as const;
    await recordSteps(state, await fence(), 'run-1', { sequence: 2, steps: [step, step] });
    await recordSteps(state, await fence(), 'run-1', { sequence: 1, steps: [step] });
    await endChange(state, await fence(), 'run-1', { state: 'done', result: 'well', steps: [step, step] });
    await endChange(state, await fence(), 'run-1', { state: 'failed', result: 'late', steps: [] });
    await recordSteps(state, await fence(), 'run-1', { sequence: 9, steps: [] });
    expect(await state.changes.findOne({ _id: 'run-1' })).toMatchObject({ state: 'done', steps: [step, step] });
  });

  test('what outlived its machine or its time is swept; what belongs to one that is there, or runs, stays', async () => {
    const [machine] = await state.machines.find({}).toArray();
    const token = { machine: '1', publicKey: '', certificate: '', boundAt: new Date(0), refusedFrom: [] };
    const nonces = ['gone', machine?.nonce ?? ''];
    await state.tokens.insertMany(nonces.map((_id) => ({ _id, ...token })));
    const beat = { session: 's', report };
    await writePresence(state, [{ machine: 'gone', ...beat }]);
    const said = { kind: 'configure', summary: '', url: '', by: 'ana', startedAt: new Date(0).toISOString() };
    for (const [run, workflowId] of [
      ['swept', 'x'],
      ['runs', 'y'],
    ] as const) {
      await beginChange(state, await fence(), { ...said, id: run, workflowId });
    }
    await endChange(state, await fence(), 'swept', { state: 'done', result: '', steps: [] });

    const kept = await readKept(state);
    expect(kept.tokens).toContainEqual({ nonce: 'gone', ageMs: expect.any(Number) });
    expect(kept.presence).toContainEqual({ machine: 'gone', ageMs: expect.any(Number) });
    expect(kept.changes.find(({ id }) => id === 'swept')?.endedAgeMs).toBeGreaterThanOrEqual(0);
    expect(kept.changes.find(({ id }) => id === 'runs')?.endedAgeMs).toBeNull();
    expect(kept.machines).toContainEqual({ id: machine?._id, nonce: machine?.nonce });

    const { epoch } = await fence();
    await expect(sweep(state, { epoch: epoch + 1 }, 'tokens', nonces)).rejects.toMatchObject({ code: 'wrong-epoch' });
    expect(await sweep(state, { epoch }, 'tokens', nonces)).toBe(1);
    expect(await sweep(state, { epoch }, 'presence', ['gone', machine?._id ?? ''])).toBe(1);
    expect(await sweep(state, { epoch }, 'changes', ['swept', 'runs'])).toBe(1);
    expect(await sweep(state, { epoch }, 'changes', ['swept', 'runs'])).toBe(0);
    expect((await state.tokens.find({}).toArray()).map(({ _id }) => _id)).toContain(machine?.nonce);
    await endChange(state, await fence(), 'runs', { state: 'done', result: '', steps: [] });
  });

  test('what the bucket is known to have never gets older', async () => {
    const { epoch } = await fence();
    expect(await readBucket(state)).toBeNull();
    await recordBucket(state, { epoch }, { tidied: true });
    expect(await readBucket(state)).toBeNull();
    await recordBucket(state, { epoch }, { version: 4 });
    await recordBucket(state, { epoch }, { version: 3 });
    const at = { sureAt: expect.any(Number), ageMs: expect.any(Number) };
    expect(await readBucket(state)).toEqual({ version: 4, ...at, tidiedAgeMs: null });
    await recordBucket(state, { epoch }, { tidied: true });
    expect(await readBucket(state)).toMatchObject({ version: 4, tidiedAgeMs: expect.any(Number) });
  });

  test('a late attempt to write off what a recovery lost means nobody else, and none of another epoch means anybody', async () => {
    const writeOff = (machines: readonly string[], epoch: number) =>
      attempt(() => recoveryActivities({ state, fence: { epoch } } as unknown as Network).writeOffFenced({ machines }));
    const lives = async (ids: readonly string[]) =>
      (
        await state.machines
          .find({ _id: { $in: [...ids] } })
          .sort({ _id: 1 })
          .toArray()
      ).map(({ life }) => life);
    const { epoch } = await fence();
    const added = await addControllers(state, await fence(), { count: 3, zones: ['a', 'b', 'c'] });
    const ids = added.map(({ _id }) => _id);
    const [lost, half, other] = ids as [string, string, string];
    // An attempt before came this far.
    await markDying(state, await fence(), [half]);
    await writeOff([lost, half], epoch);
    expect(await lives(ids)).toEqual(['dead', 'dead', 'alive']);

    await forgetMachine(state, await fence(), lost);
    const [next] = await addControllers(state, await fence(), { count: 1, zones: ['a'] });
    const before = await state.environment.findOne({});
    await writeOff([lost, half], epoch);
    expect(await lives([half, other, next?._id ?? ''])).toEqual(['dead', 'alive', 'alive']);
    expect(await state.environment.findOne({})).toEqual(before);

    await expect(writeOff([other], epoch - 1)).rejects.toMatchObject({ code: 'wrong-epoch' });
    expect(await lives([other])).toEqual(['alive']);
  });

  test('the cloud’s word on a machine is written though another one is forgotten meanwhile', async () => {
    const [told] = await addControllers(state, await fence(), { count: 1, zones: [''] });
    if (told === undefined) return expect.fail('no machine was added');
    const instance = { id: 'i-word', address: '127.0.0.8', ports: { api: 17070, mongo: 37017 }, state: 'running' };
    const forgotten = { ...told, _id: 'forgotten', nonce: 'forgotten' };
    const words = {
      forgotten: { nonce: 'forgotten', instance },
      [told._id]: { nonce: told.nonce, instance },
    };
    let looks = 0;
    const machines = new Proxy(state.machines, {
      get(target, name) {
        // It was there at the first look, and is not when its word is written.
        if (name === 'find') return () => ({ toArray: async () => (++looks === 1 ? [forgotten, told] : [told]) });
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const failures: (readonly string[])[] = [];
    await writeWords(
      { state: { ...state, machines }, fence: await fence() },
      words,
      AbortSignal.timeout(20_000),
      (reasons) => failures.push(reasons),
    );
    expect(failures).toEqual([[expect.stringContaining('machine forgotten')]]);
    expect((await state.machines.findOne({ _id: told._id }))?.instance).toMatchObject(instance);
    expect(looks).toBe(2);
    await state.machines.deleteOne({ _id: told._id });
  });

  test('nothing is started in an environment that is dying', async () => {
    await state.environment.updateOne({}, { $set: { life: 'dying' } });
    const refused = { code: 'environment-not-alive' };
    await expect(addControllers(state, await fence(), { count: 1, zones: [''] })).rejects.toMatchObject(refused);
    await expect(addJobs(state, await fence(), ['0'])).rejects.toMatchObject(refused);
    await state.environment.updateOne({}, { $set: { life: 'alive' } });
  });
});

describe('over the death of the primary', () => {
  test('writes are made once and followers see each of them once', async () => {
    const signal = new AbortController();
    const from = (await currentToken(state, signal.signal)) ?? '';
    const seen: StateEvent[] = [];
    const following = (async () => {
      for await (const event of follow(state, ['settings'], { after: from, signal: signal.signal })) seen.push(event);
    })();
    const primary = set.member(state.primary() ?? '');
    const write = async (n: number) => {
      const key = `x-write-${n}`;
      await persist(state, async () => {
        const setting = { _id: key, value: String(n), version: 1, at: new Date(), by: 'test', requests: [] };
        await state.settings.replaceOne({ _id: key, version: 1 }, setting, { upsert: true });
      });
    };
    for (let n = 0; n < 20; n += 1) await write(n);
    await primary.kill();
    for (let n = 20; n < 40; n += 1) await write(n);
    await primary.start();
    await expect.poll(() => new Set(seen.map(({ id }) => id)).size, { timeout: 20_000 }).toBe(40);
    expect(seen.filter(({ document }) => document?.version === 1)).toHaveLength(seen.length);
    expect(new Set(seen.map(({ token }) => token)).size).toBe(seen.length);

    // Another process that goes on from a token in the middle sees the rest, and the same tokens.
    const middle = seen[9]?.token ?? '';
    const rest: StateEvent[] = [];
    const other = await stateOf(set);
    try {
      for await (const event of follow(other, ['settings'], { after: middle, signal: signal.signal })) {
        rest.push(event);
        if (rest.length === seen.length - 10) break;
      }
    } finally {
      await other.close();
    }
    expect(rest).toEqual(seen.slice(10));
    signal.abort();
    await following;
  });

  test('replaced documents are followed as they were, not as they are', async () => {
    const signal = new AbortController();
    const after = (await currentToken(state, signal.signal)) ?? '';
    for (let version = 1; version <= 5; version += 1) {
      const setting = { _id: 'x-same', value: `${version}`, version, at: new Date(), by: 'test', requests: [] };
      await state.settings.replaceOne({ _id: 'x-same' }, setting, { upsert: true });
    }
    const versions: unknown[] = [];
    for await (const event of follow(state, ['settings'], { after, signal: signal.signal })) {
      versions.push(event.document?.version);
      if (versions.length === 5) break;
    }
    expect(versions).toEqual([1, 2, 3, 4, 5]);
    signal.abort();
  });

  test('who begins now sees what comes, whatever else is written at that moment', async () => {
    const signal = new AbortController();
    let written = 0;
    const beside = (async () => {
      for (; !signal.signal.aborted; written += 1) {
        const setting = { _id: 'x-beside', value: '', version: written, at: new Date(), by: 'test', requests: [] };
        await state.settings.replaceOne({ _id: 'x-beside' }, setting, { upsert: true });
      }
    })();
    for (let round = 0; round < 50; round += 1) {
      const before = written;
      const after = (await currentToken(state, signal.signal)) ?? '';
      const events = follow(state, ['environment'], { after, signal: signal.signal });
      await state.environment.updateOne({}, { $inc: { version: 1 } });
      expect((await events.next()).value).toMatchObject({ kind: 'environment' });
      await events.return();
      await expect.poll(() => written, { interval: 1 }).toBeGreaterThan(before);
    }
    signal.abort();
    await beside;
  });

  test('a token that is none is refused', async () => {
    const { signal } = new AbortController();
    for (const after of ['nonsense', '00'.repeat(20)]) {
      const iterator = follow(state, ['settings'], { after, signal });
      await expect(iterator.next()).rejects.toMatchObject({ code: 'bad-token' });
    }
  });
});

describe('without a majority', () => {
  test('nobody is told of a setting that was never acknowledged', async () => {
    const told = { _id: 'x-told', value: 'kept', version: 1, at: new Date(), by: 'test', requests: [] };
    await state.settings.insertOne(told);
    const host = await until('a primary', async () => state.primary());
    for (const member of set.members) if (member.host !== host) member.signal('SIGSTOP');
    const unheard = { $set: { value: 'unheard', version: 2 } };
    await state.settings.updateOne({ _id: 'x-told' }, unheard, { writeConcern: { w: 1 } });
    await until('the primary to have stepped down', async () => state.primary() === null);

    // By a connection of its own: the nearest of the set may be one that stands still.
    const alone = set.member(host).client();
    try {
      const settings = alone.db(state.db.databaseName).collection<SettingDocument>('settings');
      const own = { readPreference: 'nearest', readConcern: { level: 'local' } } as const;
      expect(await settings.findOne({ _id: 'x-told' }, own)).toMatchObject({ value: 'unheard' });
    } finally {
      await alone.close();
    }
    const controller = { state, reader: new Reader(state, set.member(host).joiner.machine) } as unknown as Controller;
    const call = { params: { key: 'x-told' }, query: {} } as unknown as Call<'setting'>;
    expect(await getSetting(controller, call)).toMatchObject({ value: 'kept', version: 1 });
  });
});
