import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Machine } from '../../src/api/machines.js';
import type { AuditEntry } from '../../src/api/users.js';
import type { ExposedMachine } from '../../src/cli/exposed.js';
import { ensureEngine } from '../../src/engine/engine.js';
import { connectTemporal } from '../../src/temporal/connect.js';
import { environmentKey, workflowIds } from '../../src/temporal/names.js';
import type { SingletonSeen } from '../../src/temporal/see-singletons.js';
import { TestEnvironment } from '../support/environment.js';
import { record } from '../support/histories.js';
import { until } from '../support/home.js';
import { kill } from '../support/kill.js';
import { datagramOver, lineOver } from '../support/wire.js';

/** What is exposed on a workload machine, in an environment with one controller. The tests build on each other. */
let env: TestEnvironment;
let inside = '';
let outside = '';
const servers: Server[] = [];

beforeAll(async () => {
  env = await TestEnvironment.bootstrap(1);
  await env.home.ok('add-machine');
  ({ address: inside } = await machineWhen('is up', ({ agent }) => agent === 'started'));
  // The workload: it says back what it is told, on two ports of the machine's own address, and runs on the machine.
  const workload = `const net=require('net'),u=require('dgram').createSocket('udp4');
    for(const p of [18080,18081]) net.createServer(s=>{s.on('error',()=>{});s.pipe(s)}).listen(p,'${inside}');
    u.on('message',(m,f)=>u.send(m,f.port,f.address)).bind(18081,'${inside}')`;
  await env.home.ok(
    'exec',
    '--machine',
    '1',
    '--background',
    '--timeout',
    '1h',
    '--',
    process.execPath,
    '-e',
    workload,
  );
  await until('the workload to echo', async () => (await lineOver(inside, 18081, 'hello')) === 'hello');
}, 180_000);
afterAll(async () => {
  for (const server of servers) server.close();
  await env?.close();
});

const machine = async (id = '1') => (await env.client.request<Machine>('GET', `/v1/machines/${id}`)).body;
const machineWhen = (what: string, seen: (machine: Machine) => boolean, id = '1') =>
  until(
    `machine ${id} ${what}`,
    async () => {
      const found = await machine(id).catch(() => null);
      return found !== null && seen(found) ? found : null;
    },
    60,
    100,
  );
const isOpen = async (port: number) => (await lineOver(outside, port, 'hello')) === 'hello';
const gateways = () => env.home.processes().filter(({ command }) => command.includes('gateway.js'));
/** How long it took, in words for the log. */
const timed = async (what: string, work: () => Promise<unknown>) => {
  const began = performance.now();
  await work();
  console.log(`${what}: ${Math.round(performance.now() - began)} ms`);
};

test('what is exposed is reachable at the public address, and nothing else is', async () => {
  const exposed = await env.home.json<ExposedMachine>('expose', '1', '18080', '18081/udp');
  expect(exposed).toMatchObject({ machine: '1', started: true, ingress: { open: true, error: '', version: 1 } });
  outside = exposed.ingress?.address ?? '';
  expect(outside).toMatch(/^127\.255\./);
  expect(outside).not.toBe(inside);
  expect(await lineOver(outside, 18080, 'hello')).toBe('hello');
  expect(await datagramOver(outside, 18081, 'hello')).toBe('hello');
  expect(await lineOver(outside, 18081, 'hello')).toBe('refused');
  expect(await machine()).toMatchObject({ ports: ['18080/tcp', '18081/udp'] });
  expect((await env.status()).machines).toMatchObject([{ id: '1', ports: ['18080/tcp', '18081/udp'] }]);
  const screens = [await env.home.ok('machines'), await env.home.ok('status')];
  for (const screen of screens) {
    expect(screen).toMatch(/host-units +18080\/tcp 18081\/udp/);
    expect(screen).toContain(`1: exposed at ${outside}: 18080/tcp, 18081/udp`);
  }
});

test('exposed to some networks it is for those, and again for everybody', async () => {
  expect(await env.home.ok('expose', '1', '18080', '--to-cidrs', '127.9.0.0/16,10.0.0.0/8')).toBe(
    `Exposed on machine 1, at ${outside}: 18080/tcp for 127.9.0.0/16, 10.0.0.0/8, 18081/udp.\n`,
  );
  expect(await lineOver(outside, 18080, 'hello')).toBe('reset');
  expect(await lineOver(outside, 18080, 'hello', { localAddress: '127.9.1.1' })).toBe('hello');
  await env.home.ok('expose', '1', '18080');
  expect(await isOpen(18080)).toBe(true);
});

test('the same request is done once, and the audit log has who exposed what', async () => {
  const body = { rules: [{ protocol: 'tcp', from: 18090, to: 18095, cidrs: ['0.0.0.0/0'] }] };
  const request = { body, idempotencyKey: randomUUID() };
  const path = '/v1/machines/1/expose';
  const first = await env.client.request('POST', path, request);
  const { version } = (await machine()).ingress ?? {};
  expect((await env.client.request('POST', path, request)).body).toEqual(first.body);
  // What is exposed already changes nothing either.
  await env.client.request('POST', path, { body, idempotencyKey: randomUUID() });
  expect((await machine()).ingress?.version).toBe(version);
  await env.home.ok('unexpose', '1', '18090-18095');
  const entries = await until('the audit log to have it', async () => {
    const all = (await env.client.request<{ entries: AuditEntry[] }>('GET', '/v1/audit?limit=100')).body.entries;
    return all.some(({ route }) => route === 'unexpose') ? all : null;
  });
  expect(entries).toContainEqual(expect.objectContaining({ route: 'expose', target: path, status: 200 }));
});

describe('bad input is refused, and changes nothing', () => {
  test.each([
    [['expose', '11', '80'], /There is no machine 11\.\nIs 1 meant\?/],
    [['expose', 'web', '80'], /'web' is no machine ID/],
    [['expose', '1', '0'], /There is no port 0/],
    [['expose', '1', '65536/udp'], /There is no port 65536/],
    [['expose', '1', '90-80'], /90-80\/tcp runs backwards/],
    [['expose', '1', '80/icmp'], /ports of icmp/],
    [['expose', '1', '80-90', '85'], /85\/tcp overlaps with 80-90\/tcp: they are both asked for/],
    [['expose', '1', '18070-18090'], /overlaps with 18080\/tcp: machine 1 has 18080\/tcp exposed/],
    [['expose', '1', '80', '--cidr', '10.0.0.0/33'], /length is more than 32/],
    [['expose', '1', '80', '--cidr', '10.0.0.1/8'], /in the middle of a network\.\nIs 10\.0\.0\.0\/8 meant/],
    [['expose', '1', '1-65535'], /would have \d+ ports exposed; it has 1000 at most/],
    [['unexpose', '1', '80'], /80\/tcp is not exposed on machine 1\.\nExposed there: 18080\/tcp, 18081\/udp\./],
    [['unexpose', '1', '18080/udp'], /18080\/udp is not exposed/],
    [['unexpose', '11', '80'], /There is no machine 11\.\nIs 1 meant\?/],
    [['expose', '1'], /port/],
  ])('%j', async (args, message) => {
    const before = await machine();
    const run = await env.home.run(...args);
    expect(run.stderr).toMatch(message);
    expect(run.code).toBe(2);
    expect((await machine()).ingress).toEqual(before.ingress);
  });
});

describe('what is opened or closed by hand is put right', () => {
  test('closed', async () => {
    expect(await env.home.ok('cloud', 'ports', '1', '--close', '18080')).toMatch(/: 18081\/udp\n$/);
    await timed('put right', () => until('the port to be open again', () => isOpen(18080), 20));
  });

  test('opened', async () => {
    expect(await env.home.ok('cloud', 'ports', '1', '--open', '18081')).toMatch(/18081\/tcp/);
    await timed('put right', () => until('the port to be closed again', async () => !(await isOpen(18081)), 20));
    expect(await isOpen(18080)).toBe(true);
  });

  test('the gateway killed', async () => {
    kill(gateways()[0]?.pid);
    await timed('put right', () => until('the port to be open again', () => isOpen(18080), 20));
    expect(gateways()).toHaveLength(1);
  });
});

test('the worker that follows is killed: another goes on with it, and exposes what is asked for', async () => {
  const firewaller = async () =>
    (await env.home.json<SingletonSeen[]>('singletons')).find(({ singleton }) => singleton === 'firewaller');
  const before = await until('its watch to have been heard', async () => {
    const { watch } = (await firewaller()) ?? {};
    return watch?.lastHeartbeat != null && watch.worker;
  });
  kill(Number(before.split('@')[0]));
  await timed('exposed in spite of that', async () => {
    await env.client.request('POST', '/v1/machines/1/expose', {
      body: { rules: [{ protocol: 'tcp', from: 18081, to: 18081, cidrs: ['0.0.0.0/0'] }] },
      idempotencyKey: randomUUID(),
    });
    await until('the port to be open', () => isOpen(18081), 30);
  });
  const handOver = await until('the hand-over to be told', async () =>
    (await firewaller())?.handOvers.find(({ from }) => from === before),
  );
  expect(handOver.why).toBe('its worker was lost');
  console.log(`the firewaller was taken over after ${handOver.gapSeconds} s`);
});

test('a port that cannot be had is told, and opened when it can be', async () => {
  const other = createServer().listen(18085, outside);
  servers.push(other);
  await new Promise((resolve) => other.once('listening', resolve));
  expect(await env.home.ok('expose', '1', '18085')).toMatch(/Not all of it is open: 18085\/tcp cannot be opened/);
  expect((await env.status()).ha.problems).toEqual([
    expect.stringMatching(/^Machine 1 does not have all its exposed ports open: 18085\/tcp cannot be opened/),
  ]);
  expect(await isOpen(18080)).toBe(true);
  // Other rules are tried at once, whatever rests.
  expect(await env.home.ok('unexpose', '1', '18085')).not.toMatch(/Not all/);
  expect((await env.status()).ha.problems).toEqual([]);
});

test('the engine’s worker is killed: what was open stays open', async () => {
  await env.killEngineWorker();
  expect(await isOpen(18080)).toBe(true);
  await env.home.ok('engine', 'start');
});

test('what is not exposed any more is refused', async () => {
  expect(await env.home.ok('unexpose', '1', '18080', '18081')).toBe(
    `Exposed on machine 1, at ${outside}: 18081/udp.\n`,
  );
  expect(await lineOver(outside, 18080, 'hello')).toBe('refused');
  expect(await datagramOver(outside, 18081, 'hello')).toBe('hello');
});

test('exposed before it has its instance, it is let in to as soon as it has', async () => {
  await env.home.ok('cloud', 'fill-zone', 'c');
  await env.home.ok('add-machine', '--constraints', 'zone=c');
  await machineWhen('to have failed', ({ provisioningError }) => provisioningError !== '', '2');
  expect(await env.home.ok('expose', '2', '18080')).toMatch(/as soon as it has its instance/);
  await env.home.ok('cloud', 'empty-zone', 'c');
  await env.home.ok('retry-provisioning', '2');
  const { ingress } = await machineWhen('to have its ports open', (seen) => seen.ingress?.open === true, '2');
  expect(ingress?.address).not.toBe(outside);
  // Nothing listens there yet: it is let in, and reset by who is there.
  expect(await lineOver(ingress?.address ?? '', 18080, 'hello')).toBe('reset');
  await env.home.ok('unexpose', '2', '18080');
  await env.home.ok('expose', '2', '18081');
});

test('a dying machine exposes nothing more; removed, its ports are closed', async () => {
  const { instance } = await machine();
  await env.cloud.pause(instance);
  await machineWhen('is silent', ({ agent }) => agent === 'down');
  await env.home.ok('remove-machine', '1');
  const refused = await env.home.run('expose', '1', '80');
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/Machine 1 is dying: nothing is exposed/)]);
  await env.home.ok('remove-machine', '1', '--force');
  await until('machine 1 to be forgotten', async () => (await machine().catch(() => null)) === null);
  expect(await datagramOver(outside, 18081, 'hello')).not.toBe('hello');
  const { uuid } = (await env.status()).environment;
  const open = await env.cloud.firewall.open(uuid);
  expect(open.map(({ instance }) => instance)).toEqual([(await machine('2')).instance]);
});

test('its history can be replayed', async () => {
  const { connection, uiUrl } = await ensureEngine(env.store.dirs);
  const temporal = await connectTemporal({ target: connection, uiUrl });
  try {
    const { name, uuid } = (await env.status()).environment;
    const id = workflowIds.singleton(environmentKey(name, uuid), 'firewaller');
    const { history } = await record('firewaller', temporal.client.workflow.getHandle(id));
    expect(history.events?.length).toBeGreaterThan(0);
  } finally {
    await temporal.connection.close();
  }
});

test('ports of an instance that no machine exposes are closed', async () => {
  const { instance } = await machine('0');
  const { protocol, from, to, cidrs } = { protocol: 'tcp', from: 18070, to: 18070, cidrs: ['0.0.0.0/0'] } as const;
  const rules = [{ protocol, from, to, cidrs: [...cidrs] }];
  const { address } = await env.cloud.firewall.set({ instance, version: 1, rules });
  expect(await lineOver(address, 18070, 'hello')).toBe('reset');
  await until('it to be closed', async () => (await lineOver(address, 18070, 'hello')) === 'refused', 20);
});

test('nothing that was acknowledged is lost, and destroyed there is no gateway left', async () => {
  expect(await env.lost()).toEqual([]);
  expect(gateways()).toHaveLength(1);
  await env.home.ok('destroy-environment', 'demo', '--yes');
  expect(gateways()).toEqual([]);
});
