import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AddedMachines } from '../../src/api/machines.js';
import type { Status } from '../../src/api/status.js';
import type { ExposedMachine } from '../../src/cli/exposed.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';
import { kill } from '../support/kill.js';
import { whyNoNamespaces } from '../support/namespaces.js';
import { lineOver } from '../support/wire.js';

/** What the project is for, told from the first command to the last in one environment, on a machine that may be busy. */
const SECONDS = 120;
const PORT = 18080;
const noNamespaces = await whyNoNamespaces();
if (noNamespaces !== '') console.warn(`isolation namespace is skipped: ${noNamespaces}`);

describe.each([
  { isolation: 'process', region: '' },
  ...(noNamespaces === '' ? [{ isolation: 'namespace', region: 'namespace' } as const] : []),
] as const)('in isolation $isolation', ({ region }) => {
  let env: TestEnvironment;
  let workload: readonly string[] = [];
  const run = async (machine: string) =>
    (await env.home.ok('exec', '--machine', machine, '--', 'echo from-$QUORATE_MACHINE')).trim();
  /** A program on the machine that says back what it is told. */
  async function listen(machine: string): Promise<void> {
    const { address = '' } = stateOf(await env.status(), machine) ?? {};
    const program = `require('net').createServer(s=>s.pipe(s)).listen(${PORT},'${address}')`;
    const options = ['--machine', machine, '--background', '--timeout', '1h'];
    await env.home.ok('exec', ...options, '--', process.execPath, '-e', program);
    await until('it to answer', async () => (await lineOver(address, PORT, 'hello')) === 'hello');
  }
  const stateOf = ({ machines }: Status, id: string) => machines.find((machine) => machine.id === id);
  beforeAll(async () => {
    env = await TestEnvironment.bootstrap(3, [], region);
  }, SECONDS * 1000);
  afterAll(() => env?.close(), SECONDS * 1000);

  test('a new environment starts with several controllers from the first command', async () => {
    const { controllers, ha } = await env.whole(3, SECONDS);
    expect(controllers.map(({ machine }) => machine)).toEqual(['0', '1', '2']);
    expect(ha.faultTolerance).toBe(1);
  });

  test('several provisioners never race to start the same instance', async () => {
    ({ machines: workload } = await env.home.json<AddedMachines>('add-machine', '-n', '3'));
    // Whoever of them has begun, or is about to, ends; another one goes on with what nobody knows how far it came.
    for (let round = 0; round < 2; round += 1) {
      for (const { services } of (await env.status()).controllers) kill(services.worker?.pid);
      await env.killEngineWorker();
      await env.home.ok('engine', 'start');
      await sleep(500);
    }
    await env.statusWhen(
      'all three agents',
      (status) => workload.every((id) => stateOf(status, id)?.agent === 'started'),
      SECONDS,
    );
    const instances = await env.cloud.list((await env.status()).environment.uuid);
    expect(instances.map(({ tags }) => tags.machine).sort()).toEqual(['0', '1', '2', ...workload]);
  });

  test('the first controller stops responding: commands run, changes are seen, agents react and report, and it is replaced', async () => {
    const [first = '', second = ''] = workload;
    const seen: string[] = [];
    const over = new AbortController();
    const watching = (async () => {
      for await (const { kind, id } of env.client.watch({ signal: over.signal }))
        if (kind === 'setting' && id.startsWith('x-story-')) seen.push(id);
    })();
    const set = (key: string) => env.home.ok('config', `${key}=told`);
    await set('x-story-0');
    await until('the watch to begin', async () => seen.length > 0 || set('x-story-0').then(() => false));
    seen.length = 0;

    await env.home.ok('cloud', 'pause', await env.instanceOf('0'));
    await env.writesGoOn();
    for (const key of ['x-story-1', 'x-story-2', 'x-story-3']) await set(key);
    await until('what was written to be seen, once and in order', async () => seen.length >= 3);
    expect(seen).toEqual(['x-story-1', 'x-story-2', 'x-story-3']);
    // Whoever was connected to the frozen one finds it silent first.
    await env.statusWhen(
      'all agents to be with the others',
      (status) => workload.every((id) => stateOf(status, id)?.agent === 'started'),
      SECONDS,
    );
    expect(await run(first)).toBe(`from-${first}`);
    await listen(first);
    const exposed = await env.home.json<ExposedMachine>('expose', first, String(PORT));
    expect(await lineOver(exposed.ingress?.address ?? '', PORT, 'hello')).toBe('hello');

    const instance = stateOf(await env.status(), second)?.instance ?? '';
    await env.home.ok('cloud', 'pause', instance);
    await env.statusWhen('a silent agent to be told', (status) => stateOf(status, second)?.agent === 'down', SECONDS);
    await env.home.ok('cloud', 'resume', instance);
    await env.statusWhen('its agent to be back', (status) => stateOf(status, second)?.agent === 'started', SECONDS);

    await env.replaced('0', SECONDS);
    over.abort();
    await watching;
    for (const machine of workload) expect(await run(machine)).toBe(`from-${machine}`);
  });

  test('an instance is stopped in the provider’s panel: another one is a controller in its place', async () => {
    const { ha } = await env.status();
    const primary = ha.primary ?? '';
    await env.home.ok('cloud', 'stop', await env.instanceOf(primary));
    await env.writesGoOn();
    expect(await run(workload[0] ?? '')).toBe(`from-${workload[0]}`);
    expect((await env.replaced(primary, SECONDS)).controllers).toHaveLength(3);
  });

  test('any instance fails and the environment goes on; a workload machine is told, not replaced', async () => {
    const [lost = '', other = ''] = workload;
    await env.home.ok('cloud', 'terminate', stateOf(await env.status(), lost)?.instance ?? '');
    await until(
      'the loss to be told',
      async () => {
        const { problems } = (await env.status()).ha;
        const told = problems.some((one) => one.startsWith(`The instance of machine ${lost} is terminated`));
        return told || Promise.reject(new Error(`problems: ${problems.join(' ')}`));
      },
      SECONDS,
    );
    await env.writesGoOn();
    expect(await run(other)).toBe(`from-${other}`);
    expect((await env.home.run('exec', '--machine', lost, '--', 'true')).code).toBe(1);
    await env.home.ok('remove-machine', lost);
    await env.statusWhen('it to be forgotten', (status) => stateOf(status, lost) === undefined, SECONDS);
    workload = workload.slice(1);
  });

  test('it moves to one controller and back to HA, and loses nothing on the way', async () => {
    await env.home.ok('disable-ha');
    expect((await env.whole(1, SECONDS)).environment.phase).toBe('default');
    await env.writesGoOn();
    for (const machine of workload) expect(await run(machine)).toBe(`from-${machine}`);
    await env.home.ok('enable-ha');
    expect((await env.whole(3, SECONDS)).ha.problems).toEqual([]);
    await env.writesGoOn();
    await env.home.ok('disable-ha');
    await env.whole(1, SECONDS);
    for (const machine of workload) expect(await run(machine)).toBe(`from-${machine}`);
    expect(await env.lost()).toEqual([]);
    const { environment, controllers } = await env.status();
    await until(
      'no instance to be left over',
      async () => {
        const all = await env.cloud.list(environment.uuid);
        return all.filter(({ state }) => state !== 'terminated').length === controllers.length + workload.length;
      },
      SECONDS,
      500,
    );
  });
});
