import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Machine } from '../../src/api/machines.js';
import { TestEnvironment } from '../support/environment.js';

/** Workload machines become controllers, and are workload machines again, under writes. */
let env: TestEnvironment;
beforeAll(async () => {
  env = await TestEnvironment.bootstrap(1);
}, 120_000);
afterAll(() => env?.close());

let instances: readonly string[] = [];

test('two workload machines become controllers with enable-ha --to, on the instances that they have', async () => {
  await env.home.ok('add-machine', '-n', '2');
  const { machines } = await env.statusWhen('both agents', ({ machines }) =>
    ['1', '2'].every((id) => machines.some((machine) => machine.id === id && machine.agent === 'started')),
  );
  instances = machines.map(({ instance }) => instance);
  expect(await env.home.ok('enable-ha', '--to', '1,2')).toMatch(/converting machines: 1, 2/);
  const status = await env.whole(3);
  expect(status.controllers.map(({ machine, instance }) => [machine, instance])).toEqual([
    ['0', expect.any(String)],
    ['1', instances[0]],
    ['2', instances[1]],
  ]);
  expect(status.machines).toEqual([]);
  expect(status.ha.problems).toEqual([]);
  await env.writesGoOn();
});

test('a controller that hosts units too is not removed as a machine', async () => {
  const { code, stderr } = await env.home.run('remove-machine', '1', '--force');
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /Machine 1 is a controller.*\n.*replace 1 .*disable-ha --keep 0, then: quorate remove-machine 1/,
  );
});

test('the first controller dies for good, and those that were workload machines go on', async () => {
  await env.home.ok('config', 'auto-replace=false');
  await env.cloud.terminate(await env.instanceOf('0'));
  await env.statusWhen('another primary', ({ ha }) => ha.primary !== null && ha.primary !== '0');
  await env.writesGoOn();
});

test('disable-ha turns one back into a workload machine, alive and on its instance', async () => {
  await env.home.ok('disable-ha', '--keep', '1');
  const status = await env.statusWhen(
    'one controller',
    ({ ha, controllers }) => ha.voters === 1 && controllers.length === 1,
  );
  expect(status.controllers[0]).toMatchObject({ machine: '1', instance: instances[0] });
  const { machines } = await env.statusWhen('machine 2 as before', (seen) =>
    seen.machines.some(({ id, agent }) => id === '2' && agent === 'started'),
  );
  expect(machines.filter(({ life }) => life === 'alive')).toMatchObject([
    { id: '2', jobs: ['host-units'], life: 'alive', instance: instances[1] },
  ]);
  await env.writesGoOn();
  await env.home.ok('remove-machine', '2');
  await env.statusWhen('machine 2 to be gone', (seen) => seen.machines.length === 0);
});

test('new controllers are what enable-ha --constraints says, and so would be those that replace them', async () => {
  await env.home.ok('enable-ha', '--constraints', 'mem=2G zone=c');
  await env.whole(3);
  const machines = await env.home.json<Machine[]>('machines');
  expect(machines.filter(({ id }) => id !== '1' && id !== '2')).toMatchObject([
    { zone: 'c', constraints: 'mem=2G zone=c', instanceType: 'local.medium' },
    { zone: 'c', constraints: 'mem=2G zone=c', instanceType: 'local.medium' },
  ]);
  expect(await env.home.ok('config', 'controller-constraints')).toBe('mem=2G zone=c\n');
});

test('nothing that was acknowledged is lost', async () => {
  expect(await env.lost()).toEqual([]);
});
