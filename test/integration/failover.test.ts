import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { TestEnvironment } from '../support/environment.js';

let env: TestEnvironment;
beforeAll(async () => {
  // Whoever is stopped here starts again: nobody is to be replaced meanwhile.
  env = await TestEnvironment.bootstrap(3, ['stopped-grace=1h', 'grace=1h']);
});
afterEach(async () => {
  expect(await env.writer.missing()).toEqual([]);
});
afterAll(() => env?.close());

test('the primary’s mongod is killed, its instance is powered off, its instance is frozen: clients go on', async () => {
  const killed = (await env.whole(3)).ha.primary ?? '';
  process.kill(await env.pidOf(killed, 'mongod'), 'SIGKILL');
  await env.statusWhen('another primary', ({ ha }) => ha.primary !== null && ha.primary !== killed);
  await env.writesGoOn();
  await env.whole(3);

  const off = (await env.status()).ha.primary ?? '';
  const instance = await env.instanceOf(off);
  await env.cloud.powerOff(instance);
  await env.statusWhen('another primary', ({ ha }) => ha.primary !== null && ha.primary !== off);
  await env.writesGoOn();
  const degraded = await env.statusWhen('two healthy voters', ({ ha }) => ha.healthyVoters === 2);
  expect(degraded.environment.phase).toBe('degraded');
  expect(degraded.ha.problems.length).toBeGreaterThan(0);
  await env.cloud.startAgain(instance);
  await env.whole(3);

  const frozen = (await env.status()).ha.primary ?? '';
  const frozenInstance = await env.instanceOf(frozen);
  await env.cloud.pause(frozenInstance);
  await env.statusWhen('another primary', ({ ha }) => ha.primary !== null && ha.primary !== frozen);
  await env.writesGoOn();
  await env.cloud.resume(frozenInstance);
  // It still takes itself for the primary until it hears of the other.
  await env.statusWhen(
    'the thawed one to be a secondary among three',
    ({ ha, controllers }) =>
      ha.healthyVoters === 3 && controllers.find(({ machine }) => machine === frozen)?.member?.state === 'SECONDARY',
  );
});

test('a majority is lost and comes back; without it status is still answered, marked as old', async () => {
  const { ha, controllers } = await env.whole(3);
  const gone = controllers.map(({ machine }) => machine).filter((machine) => machine !== ha.primary);
  const instances = await Promise.all(gone.map((machine) => env.instanceOf(machine)));
  await Promise.all(instances.map((instance) => env.cloud.powerOff(instance)));
  const stale = await env.statusWhen('an answer without a majority', (status) => status.stale);
  expect(stale.environment.phase).toBe('no-quorum');
  await Promise.all(instances.map((instance) => env.cloud.startAgain(instance)));
  await env.whole(3);
  await env.writesGoOn();
});

test('all machines are cut off at once; started again they find each other by themselves', async () => {
  const { controllers } = await env.whole(3);
  const instances = controllers.map(({ instance }) => instance);
  await Promise.all(instances.map((instance) => env.cloud.powerOff(instance)));
  const { code, stderr } = await env.home.run('status');
  expect(code).toBe(1);
  expect(stderr).toMatch(/no controller of demo answers/);
  await Promise.all(instances.map((instance) => env.cloud.startAgain(instance)));
  await env.whole(3);
  await env.writesGoOn();
});

test('machine 0 is nothing special: terminated after 1 → 3, another one is enrolled in its place', async () => {
  await env.whole(3);
  await env.cloud.terminate(await env.instanceOf('0'));
  await env.writesGoOn();
  const status = await env.statusWhen(
    'three others',
    ({ ha, controllers }) => ha.healthyVoters === 3 && controllers.every(({ machine }) => machine !== '0'),
    120,
  );
  expect(status.controllers.map(({ machine }) => machine)).toEqual(['1', '2', '3']);
});
