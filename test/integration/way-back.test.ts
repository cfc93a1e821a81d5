import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentConf, parseConf } from '../../src/agent/conf.js';
import { splitPem } from '../../src/pki/certificate.js';
import { openState, type State } from '../../src/state/state.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';

/** An agent that slept through a complete change of all controllers: none that it knew is there any more. */
let environment: TestEnvironment;
let uuid: string;

beforeAll(async () => {
  environment = await TestEnvironment.bootstrap(1);
  uuid = (await environment.status()).environment.uuid;
}, 120_000);

afterAll(async () => {
  await environment?.close();
}, 60_000);

const diskOf = (instance: string) => join(environment.store.dirs.localCloud, uuid, instance, 'disk');

/** The environment's documents, as the controllers' own services see them. */
async function withState<T>(work: (state: State) => Promise<T>): Promise<T> {
  const [{ instance, mongo } = { instance: '', mongo: '' }] = (await environment.status()).controllers;
  const read = (file: string) => readFileSync(join(diskOf(instance), file), 'utf8');
  const tls = { ca: read('identity/ca.crt'), ...splitPem(read('controller/state.pem')) };
  const state = await openState({ hosts: [mongo], tls });
  try {
    return await work(state);
  } finally {
    await state.close();
  }
}

/** A machine without a controller's jobs, which the provisioner starts. */
const addWorkload = () =>
  withState(async (state) => {
    const [zero, set] = await Promise.all([state.machines.findOne({ _id: '0' }), state.addresses.findOne({})]);
    if (zero === null || set === null) throw new Error('no machine 0, or nothing published');
    const boot = { ...zero.boot, addresses: set.servers.map(({ api }) => api) };
    const url = (await state.environment.findOne({}))?.url ?? '';
    await state.machines.insertOne({
      ...{ ...zero, _id: '50', jobs: ['host-units'], nonce: 'way-back', memberId: null, instance: null },
      boot: { ...boot, url },
      version: 1,
    });
  });

test('it finds its way by the URL, and its conf is rewritten', async () => {
  await addWorkload();
  const status = await environment.statusWhen('the machine to be heard', ({ machines }) =>
    machines.some(({ id, agent }) => id === '50' && agent === 'started'),
  );
  const instance = status.machines.find(({ id }) => id === '50')?.instance ?? '';
  const file = join(diskOf(instance), 'agent.conf');
  const conf = (): AgentConf => parseConf(readFileSync(file, 'utf8'));
  await until('it to know the published set', async () => conf().addresses.version > 0);
  const known = conf().addresses;

  await environment.home.ok('cloud', 'stop', '50');
  await environment.home.ok('enable-ha', '-n', '3');
  await environment.home.ok('disable-ha', '--keep', '2');
  const { controllers } = await environment.whole(1);
  expect(controllers.map(({ api }) => api).filter((api) => known.servers.some((server) => server.api === api))).toEqual(
    [],
  );
  await until('the controllers that it knew to be gone', async () => {
    const instances = await environment.cloud.list(uuid);
    return instances.filter(({ tags }) => tags.machine === '0').every(({ state }) => state === 'terminated');
  });
  expect(conf().addresses).toEqual(known);

  await environment.home.ok('cloud', 'start', '50');
  await environment.statusWhen('it to be heard again', ({ machines }) =>
    machines.some(({ id, agent }) => id === '50' && agent === 'started'),
  );
  const after = await until('its conf to have the new set', async () => {
    // Read whole or not at all, whenever it is read.
    const { addresses } = conf();
    return addresses.version > known.version && addresses;
  });
  expect(after.servers.map(({ api }) => api)).toEqual(controllers.map(({ api }) => api));
  expect(existsSync(`${file}.bad`)).toBe(false);
  expect(parseConf(readFileSync(`${file}.previous`, 'utf8')).addresses.version).toBeLessThanOrEqual(after.version);
});
