import { duration } from '../api/duration.js';
import type { Status } from '../api/status.js';
import type { ApiClient } from '../client/client.js';
import type { Cloud } from '../cloud/cloud.js';
import type { LocalCloud } from '../cloud/local/local-cloud.js';
import type { Engine } from '../engine/engine.js';
import { QuorateError } from '../errors.js';
import type { Store } from '../store/store.js';
import { addWorkload, Counting } from './counting.js';
import type { Parts } from './parts.js';
import { type Limits, ON_THIS_MACHINE, patiently, WHERE_INSTANCES_BOOT } from './patience.js';

/** What the parts of a quickstart act on. */
export interface Scene<C extends Cloud = Cloud> {
  readonly store: Store;
  readonly engine: Engine;
  readonly environment: string;
  readonly client: ApiClient;
  readonly cloud: C;
  readonly parts: Parts;
}

const statusOf = async ({ client }: Scene): Promise<Status> => (await client.request<Status>('GET', '/v1/status')).body;

/** Grow, lose the primary's mongod, lose a controller's power while a command runs on workload machines, and go back to one. */
export async function ordinaryStory(scene: Scene<LocalCloud>): Promise<void> {
  const machines = await workload(scene);
  await enableHa(scene);
  await whileCounting(scene, machines, async () => {
    await killPrimary(scene);
    await powerOff(scene);
  });
  await disableHa(scene);
}

/** Grow, lose an instance for good, lose the primary, lose the link of the next one. */
export async function chaosStory(scene: Scene<LocalCloud>): Promise<void> {
  const machines = await workload(scene);
  await enableHa(scene);
  await terminateSecondary(scene);
  await whileCounting(scene, machines, () => powerOff(scene));
  await cutOff(scene);
}

/** On a cloud whose instances are nobody's processes here: grow, lose the primary's instance for good, and go back to one. */
export async function rentedStory(scene: Scene): Promise<void> {
  const machines = await workload(scene);
  await enableHa(scene);
  await whileCounting(scene, machines, () => terminatePrimary(scene));
  await disableHa(scene);
}

const WORKLOAD = 2;

async function workload({ client, parts, cloud }: Scene): Promise<readonly string[]> {
  return await parts.part(
    'adding two workload machines',
    () => addWorkload(client, WORKLOAD, limitsOf(cloud)),
    (machines) => `Workload machines ${machines.join(' and ')}: their agents are there`,
  );
}

/** Has a command run on the workload machines while controllers are lost, and says whether every line of it was heard. */
async function whileCounting(
  { client, parts }: Scene,
  machines: readonly string[],
  losses: () => Promise<void>,
): Promise<void> {
  const counting = await Counting.begin(client, machines);
  try {
    await losses();
    await parts.part(
      'waiting for the command on the workload machines',
      () => counting.end(),
      (lines) => `exec on machines ${machines.join(' and ')} went on meanwhile: ${lines} lines each, none missing`,
      false,
    );
  } finally {
    counting.close();
  }
}

async function enableHa({ store, engine, environment, parts }: Scene): Promise<void> {
  const { changeControllers } = await import('./change-controllers.js');
  await parts.part(
    'enabling HA',
    () => changeControllers(store, engine, environment, { kind: 'enable-ha', n: '3' }),
    'enable-ha: three controllers vote',
  );
}

async function disableHa(scene: Scene): Promise<void> {
  const { store, engine, environment, parts } = scene;
  const { changeControllers } = await import('./change-controllers.js');
  await parts.part(
    'going back to one controller',
    async () => {
      await changeControllers(store, engine, environment, { kind: 'disable-ha' });
      return (await statusOf(scene)).controllers[0]?.machine;
    },
    (machine) => `disable-ha: back to one controller (machine ${machine})`,
  );
}

async function killPrimary(scene: Scene): Promise<void> {
  const before = await statusOf(scene);
  const killed = primaryOf(before);
  await scene.parts.part(
    "killing the primary's mongod",
    async () => {
      const pid = before.controllers.find(({ machine }) => machine === killed)?.services?.mongod?.pid;
      if (!pid) throw new QuorateError('no-mongod', `machine ${killed} reports no mongod.`, {});
      process.kill(pid, 'SIGKILL');
      return await another(scene, killed);
    },
    (successor) => `Killed the primary (mongod of machine ${killed}, SIGKILL); machine ${successor} took over`,
    false,
  );
  await scene.parts.part(
    'waiting until it is whole again',
    () => until(scene, 'three healthy voters', ({ ha }) => ha.healthyVoters === 3),
    `machine ${killed} came back by itself: three of three vote`,
  );
}

const powerOff = (scene: Scene): Promise<void> =>
  losePrimary(
    scene,
    'powering a controller off',
    (instance) => scene.cloud.stop(instance),
    (machine) => `Powered off machine ${machine} from the cloud's control panel`,
  );

const terminatePrimary = (scene: Scene): Promise<void> =>
  losePrimary(
    scene,
    "ending the primary's instance for good",
    (instance) => scene.cloud.terminate(instance),
    (machine) => `Terminated the instance of machine ${machine}, the primary`,
  );

async function losePrimary(
  scene: Scene,
  title: string,
  lose: (instance: string) => Promise<unknown>,
  done: (machine: string) => string,
): Promise<void> {
  const machine = primaryOf(await statusOf(scene));
  await scene.parts.part(
    title,
    async () => {
      await lose(await instanceOf(scene, machine));
      return await another(scene, machine);
    },
    (successor) => `${done(machine)}; machine ${successor} took over`,
    false,
  );
  await replaced(scene, machine);
}

async function terminateSecondary(scene: Scene): Promise<void> {
  const machine = secondaryOf(await statusOf(scene));
  await scene.parts.part(
    'ending an instance for good',
    async () => scene.cloud.terminate(await instanceOf(scene, machine)),
    `Terminated the instance of machine ${machine}, with its disk`,
    false,
  );
  await replaced(scene, machine);
}

async function cutOff(scene: Scene<LocalCloud>): Promise<void> {
  const machine = primaryOf(await statusOf(scene));
  const instance = await instanceOf(scene, machine);
  await scene.parts.part(
    'cutting the link of the primary',
    async () => {
      await scene.cloud.partition(instance);
      return await another(scene, machine);
    },
    (successor) => `Cut the link of machine ${machine}, the primary; machine ${successor} took over`,
    false,
  );
  await scene.parts.part(
    'healing the link',
    async () => {
      await scene.cloud.heal(instance);
      await until(scene, 'three healthy voters', ({ ha, change }) => ha.healthyVoters === 3 && change === null);
    },
    `Healed the link: three of three vote`,
  );
}

async function replaced(scene: Scene, machine: string): Promise<void> {
  await scene.parts.part(
    'waiting until it is replaced',
    () =>
      until(
        scene,
        'three healthy voters, another one in its place',
        ({ ha, change, controllers }) =>
          ha.healthyVoters === 3 && change === null && controllers.every((one) => one.machine !== machine),
      ),
    `machine ${machine} was replaced by itself: three of three vote`,
  );
}

async function another(scene: Scene, machine: string): Promise<string | null> {
  const seen = await until(scene, 'another primary', ({ ha }) => ha.primary !== machine && ha.primary !== null);
  return seen.ha.primary;
}

async function instanceOf(scene: Scene, machine: string): Promise<string> {
  const found = (await statusOf(scene)).controllers.find((controller) => controller.machine === machine);
  if (!found?.instance) throw new QuorateError('no-instance', `machine ${machine} has no instance.`, {});
  return found.instance;
}

function primaryOf(status: Status): string {
  if (status.ha.primary === null)
    throw new QuorateError('no-primary', `${status.environment.name} has no primary.`, {});
  return status.ha.primary;
}

function secondaryOf({ environment, ha, controllers }: Status): string {
  const found = controllers.find(({ machine, member }) => machine !== ha.primary && member?.vote);
  if (!found) throw new QuorateError('no-secondary', `${environment.name} has no secondary.`, {});
  return found.machine;
}

/** Asks again until what is awaited is seen; the error at the end of its patience says what that was, and what comes next. */
async function until(scene: Scene, what: string, seen: (status: Status) => boolean): Promise<Status> {
  return await patiently(
    () => statusOf(scene),
    seen,
    ({ change, ha }) => JSON.stringify([change?.step, ha.primary, ha.voters, ha.healthyVoters]),
    ({ change, ha }, seconds) => {
      const next = change ? [`${change.kind} goes on: ${change.step}.`] : [];
      return new QuorateError('part-timed-out', `waited ${duration(seconds)} for ${what}; it did not come.`, {
        todo: [...next, ...ha.problems].join(' '),
      });
    },
    limitsOf(scene.cloud),
  );
}

const limitsOf = ({ kind }: Cloud): Limits => (kind === 'local' ? ON_THIS_MACHINE : WHERE_INSTANCES_BOOT);
