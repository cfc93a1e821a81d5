/**
 * What is no loss: controllers that come back, a watcher that stood still, presence that nobody could write. How long things
 * last is what is tested here, so some waits have a stated length; it is read from what `status` says, where it says so.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Changes } from '../../src/api/changes.js';
import type { ControllerStatus } from '../../src/api/status.js';
import { secondaryOf, TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';
import { Sentinel } from '../support/sentinel.js';

/** Everything here happens on a machine that may be busy with much else. */
const SECONDS = 240;
/** What a reboot on EC2 is given, set on the local cloud. */
const EC2_GRACE = ['stopped-grace=60s', 'grace=300s'];
const REBOOT_SECONDS = 40;
const SHORT_GRACE_SECONDS = 20;

let env: TestEnvironment;
let sentinel: Sentinel;
/** Who is there and all that was ever changed: none of it may become another. */
let before: unknown;
const frozen = new Set<number>();

beforeAll(async () => {
  env = await TestEnvironment.bootstrap(3, EC2_GRACE);
  await env.whole(3, SECONDS);
  sentinel = await Sentinel.of(env);
}, SECONDS * 1000);

afterAll(async () => {
  for (const pid of frozen) thaw(pid);
  await sentinel?.close();
  await env?.close();
}, 60_000);

beforeEach(async () => {
  before = await everything();
});

async function everything() {
  const { changes } = (await env.client.request<Changes>('GET', '/v1/changes')).body;
  const instances = await env.home.json<{ id: string; state: string }[]>('cloud', 'list');
  return {
    changes: changes.map(({ id, state }) => `${id} ${state}`),
    instances: instances.map(({ id, state }) => `${id} ${state}`).sort(),
  };
}

/** All three vote and are well again, on the same instances, and nothing was changed. */
async function nothingHappened(): Promise<void> {
  await env.statusWhen(
    'all to be well again',
    ({ ha, controllers, change }) =>
      change === null &&
      ha.voters === 3 &&
      ha.healthyVoters === 3 &&
      controllers.every(({ agent, evidence }) => agent === 'started' && evidence === null),
    SECONDS,
  );
  expect(await everything()).toEqual(before);
}

function freeze(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  frozen.add(pid);
}

function thaw(pid: number): void {
  frozen.delete(pid);
  process.kill(pid, 'SIGCONT');
}

type Evidence = NonNullable<ControllerStatus['evidence']>;

/** Waits until the sentinel says so of a machine. */
async function told(machine: string, what: string, said: (evidence: Evidence) => boolean): Promise<void> {
  await env.statusWhen(
    what,
    ({ controllers }) => {
      const evidence = controllers.find((controller) => controller.machine === machine)?.evidence;
      return evidence != null && said(evidence);
    },
    SECONDS,
  );
}

/** The stated length of a wait is what is tested. */
async function lasting(seconds: number, what: string): Promise<void> {
  const over = performance.now() + seconds * 1000;
  await until(what, async () => performance.now() >= over, seconds + 10);
}

test('a reboot of 40 s with the grace of EC2 costs a controller neither its instance nor its vote', async () => {
  const machine = secondaryOf(await env.status());
  await env.home.ok('cloud', 'stop', machine);
  await told(
    machine,
    `it to be told as stopped for ${REBOOT_SECONDS} s, and waited for`,
    ({ verdict, sinceSeconds, nextInSeconds }) =>
      verdict === 'stopped' && sinceSeconds >= REBOOT_SECONDS && nextInSeconds !== null && nextInSeconds > 0,
  );
  await env.cloud.startAgain(await env.instanceOf(machine));
  await nothingHappened();
}, 400_000);

describe('with a short grace', () => {
  beforeAll(async () => {
    await env.home.ok('config', `grace=${SHORT_GRACE_SECONDS}s`);
  }, 60_000);

  test('a worker that is frozen while it counts somebody’s silence, and thaws past the grace, has nobody replaced', async () => {
    const watcher = await sentinel.machine();
    const worker = await env.pidOf(watcher, 'worker');
    const machine = secondaryOf(await env.status(), watcher);
    const instance = await env.instanceOf(machine);
    await env.cloud.pause(instance);
    await told(machine, 'half of its grace to be over', ({ verdict, nextInSeconds }) => {
      return verdict === 'silent' && nextInSeconds !== null && nextInSeconds <= SHORT_GRACE_SECONDS / 2;
    });
    freeze(worker);
    await env.cloud.resume(instance);
    const past = lasting(SHORT_GRACE_SECONDS, 'its grace to be over, as the frozen worker counts it');
    await until('another worker to watch', async () => (await sentinel.machine()) !== watcher, SECONDS);
    await past;
    // Who watches next is the one that was frozen: the others' workers stand still now.
    const others = (await env.status()).controllers.filter((controller) => controller.machine !== watcher);
    const awake = others.map(({ services }) => services.worker?.pid ?? 0);
    for (const pid of awake) freeze(pid);
    thaw(worker);
    await until('the thawed worker to watch', async () => (await sentinel.machine()) === watcher, SECONDS);
    for (const pid of awake) thaw(pid);
    await nothingHappened();
  }, 400_000);

  test('while no API server writes presence nobody grows silent, and who is silent then has its whole grace left', async () => {
    const status = await env.status();
    const { controllers } = status;
    const machine = secondaryOf(status);
    const servers = new Map(controllers.map((controller) => [controller.machine, controller.services.api?.pid ?? 0]));
    for (const pid of servers.values()) freeze(pid);
    await lasting(SHORT_GRACE_SECONDS + 5, 'a whole grace without any presence');
    const instance = controllers.find((controller) => controller.machine === machine)?.instance ?? '';
    await env.cloud.pause(instance);
    for (const [of, pid] of servers) if (of !== machine) thaw(pid);
    await told(
      machine,
      'it to be told as silent for five seconds, and waited for',
      ({ verdict, sinceSeconds, nextInSeconds }) =>
        verdict === 'silent' && sinceSeconds >= 5 && nextInSeconds !== null && nextInSeconds > 0,
    );
    await env.cloud.resume(instance);
    thaw(servers.get(machine) ?? 0);
    await nothingHappened();
  }, 400_000);
});

test('nothing that was acknowledged is lost', async () => {
  expect(await env.lost()).toEqual([]);
});
