import { readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { splitPem } from '../../src/pki/certificate.js';
import type { AddressesDocument } from '../../src/state/documents.js';
import { openState, type State } from '../../src/state/state.js';
import type { SingletonSeen } from '../../src/temporal/see-singletons.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';

/** The publisher, the cleaner's bucket and `quorate singletons`, on real parts: one environment with one controller. */
let environment: TestEnvironment;
let state: State;
let bucket: string;

beforeAll(async () => {
  environment = await TestEnvironment.bootstrap(1);
  const record = await environment.store.readEnvironment('demo');
  if (record === null) throw new Error('no record');
  bucket = fileURLToPath(record.url);
  const { controllers } = await environment.status();
  const { instance = '', mongo = '' } = controllers[0] ?? {};
  const disk = join(environment.store.dirs.localCloud, record.uuid, instance, 'disk');
  const [ca, own] = await Promise.all(
    ['identity/ca.crt', 'controller/state.pem'].map((file) => readFile(join(disk, file), 'utf8')),
  );
  state = await openState({ hosts: [mongo], tls: { ca: ca ?? '', ...splitPem(own ?? '') } });
}, 120_000);

afterAll(async () => {
  await state?.close();
  await environment?.close();
}, 60_000);

const published = async () => JSON.parse(await readFile(bucket, 'utf8')) as Omit<AddressesDocument, '_id'>;
const singletons = () => environment.home.json<SingletonSeen[]>('singletons');
const publisher = async () => (await singletons()).find(({ singleton }) => singleton === 'publisher');

test('what is published is in the bucket, and it is remembered that it is', async () => {
  const set = await state.addresses.findOne({ _id: 'current' });
  await until(
    'the publisher to have made sure',
    async () => (await state.bucket.findOne({}))?.version === set?.version,
  );
  expect(await published()).toEqual({ version: set?.version, servers: set?.servers });
});

test('a set that no change has copied is in the bucket at once', async () => {
  const before = await published();
  const servers = [...before.servers, { machine: '9', api: '127.0.0.9:1', mongo: '127.0.0.9:2' }];
  const version = before.version + 1;
  await state.addresses.updateOne({ _id: 'current' }, { $set: { version, servers } });
  await until('it to be in the bucket', async () => (await published()).version === version);
  expect((await published()).servers).toEqual(servers);
  // As it was, for those who look later.
  await state.addresses.updateOne({ _id: 'current' }, { $set: { version: version + 1, servers: before.servers } });
  await until('the next to be there', async () => (await published()).version === version + 1);
});

test('each singleton runs on a worker that it names', async () => {
  const seen = await until('all to be watched', async () => {
    const all = await singletons();
    return all.every(({ watch }) => watch !== null && watch.lastHeartbeat !== null) && all;
  });
  expect(seen.map(({ singleton, state }) => `${singleton} ${state}`)).toEqual([
    'provisioner running',
    'firewaller running',
    'cleaner running',
    'publisher running',
    'sentinel running',
  ]);
  const worker = `${await environment.pidOf('0', 'worker')}@machine 0`;
  for (const { singleton, watch, rounds, handOvers } of seen) {
    expect(watch?.worker, singleton).toBe(worker);
    expect(rounds, singleton).toBeGreaterThan(0);
    expect(handOvers, singleton).toEqual([]);
  }
  const table = await environment.home.ok('singletons');
  expect(table).toMatch(/publisher +running +\d+@machine 0 /);
  expect(table).toContain('No hand-overs yet.');
});

test('the worker that runs the publisher is killed: another goes on with it, and the hand-over is told with its gap', async () => {
  const before = (await publisher())?.watch?.worker ?? '';
  process.kill(Number(before.split('@')[0]), 'SIGKILL');
  const seen = await until('another worker to have taken over', async () => {
    const now = await publisher();
    return now?.watch && now.watch.worker !== before && now.handOvers.length > 0 && now;
  });
  const [handOver] = seen.handOvers;
  expect(handOver).toMatchObject({ from: before, to: seen.watch?.worker, why: 'its worker was lost' });
  expect(seen.watch?.since).toBe(handOver?.at);
  console.log(`the publisher was taken over after ${handOver?.gapSeconds} s`);
  expect(await environment.home.ok('singletons')).toContain('its worker was lost');
  // And it works there.
  const { version } = await published();
  await state.addresses.updateOne({ _id: 'current' }, { $set: { version: version + 1 } });
  await until('the next set to be in the bucket', async () => (await published()).version === version + 1);
});

test('a worker that leaves in order hands over too', async () => {
  const before = (await publisher())?.watch?.worker ?? '';
  process.kill(Number(before.split('@')[0]), 'SIGTERM');
  const seen = await until('another worker to have taken over', async () => {
    const now = await publisher();
    return now?.watch && now.watch.worker !== before && now.handOvers.some(({ from }) => from === before) && now;
  });
  const handOver = seen.handOvers.find(({ from }) => from === before);
  console.log(`it was handed on after ${handOver?.gapSeconds} s: ${handOver?.why}`);
  expect(handOver?.to).toBe(seen.watch?.worker);
});

test('what outlived its machine or its time goes by itself, and what is damaged or left in the bucket is put right', async () => {
  const old = new Date(Date.now() - 100 * 86_400_000);
  const [present] = await state.presence.find({}).toArray();
  if (!present) throw new Error('no presence');
  await state.presence.insertOne({ ...present, _id: '77', at: old });
  const token = { machine: '77', publicKey: '', certificate: '', boundAt: old, refusedFrom: [] };
  await state.tokens.insertOne({ _id: 'gone', ...token });
  const leftover = `${bucket}.123456`;
  await writeFile(leftover, 'half a fi');
  await utimes(leftover, old, old);
  await state.bucket.updateOne({ _id: 'current' }, { $set: { at: old }, $unset: { tidiedAt: '' } });
  await rm(bucket);
  // Nothing tells of any of it: it is found by looking again, which a round that begins anew does at once.
  const worker = await environment.pidOf('0', 'worker');
  process.kill(worker, 'SIGTERM');
  await until('the presence to be gone', async () => (await state.presence.countDocuments({ _id: '77' })) === 0);
  await until('the token to be gone', async () => (await state.tokens.countDocuments({ _id: 'gone' })) === 0);
  await until('the left-over to be gone', async () =>
    readFile(leftover).then(
      () => false,
      () => true,
    ),
  );
  await until('the set to be in the bucket again', async () => (await published()).version > 0);
  expect(await state.presence.countDocuments({ _id: '0' })).toBe(1);
  await until('it to be remembered', async () => (await state.bucket.findOne({}))?.tidiedAt);
});
