import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AddedMachines, Machine, Machines } from '../../src/api/machines.js';
import type { Status } from '../../src/api/status.js';
import type { RequestOptions } from '../../src/client/client.js';
import type { Instance } from '../../src/cloud/cloud.js';
import { QuorateError } from '../../src/errors.js';
import { packageRoot } from '../../src/package.js';
import { type Random, seededRandom } from '../campaign/random.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';
import { kill } from '../support/kill.js';

/**
 * Ten workers, one on each of three controllers, the engine's and six beside it, are killed at random while machines are
 * added and removed: each machine's instance is started once, none is forgotten, none is left over. By hand with more of them:
 * QUORATE_MACHINES=200, which takes ten minutes.
 */
const MACHINES = Number(process.env.QUORATE_MACHINES ?? 12);
const SEED = Number(process.env.QUORATE_KILLS_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** At once; each is an agent of its own, which two cores feel. */
const MOST = MACHINES > 12 ? 16 : 6;
const BESIDE = 6;
/** Between two kills, at least so many times what a look at the status took, which is long during an election too. */
const PAUSE_PER_LOOK = 10;
const LONGEST_PAUSE_MS = 10_000;
/** Where the processors have too much to do, mongods are elected anew; how long that takes is another test's. */
const PATIENCE_MS = 60_000;

let env: TestEnvironment;
let uuid: string;
let killing: Promise<Record<string, number>> | undefined;
const over = new AbortController();
const beside = new Set<ChildProcess>();

beforeAll(async () => {
  env = await TestEnvironment.bootstrap(3, ['leftover-grace=5s']);
  uuid = (await env.status()).environment.uuid;
}, 240_000);
afterAll(async () => {
  over.abort();
  // It may be starting an engine, which nobody would end.
  await killing?.catch(() => undefined);
  await env?.close();
});

const ask = <T>(method: string, path: string, options: RequestOptions = {}) =>
  env.client.request<T>(method, path, { ...options, timeoutMs: PATIENCE_MS });
const status = async () => (await ask<Status>('GET', '/v1/status')).body;

const workload = async (): Promise<Machine[]> => {
  const { body } = await ask<Machines>('GET', '/v1/machines');
  return body.machines.filter(({ jobs }) => !jobs.includes('manage-state'));
};

/** Instances that were ever seen, by the machine that they were started for: the cloud forgets those that have ended. */
const seen = new Map<string, Set<string>>();
async function lookAtInstances(): Promise<readonly Instance[]> {
  const instances = await env.cloud.list(uuid);
  for (const { id, tags } of instances) seen.set(tags.machine, (seen.get(tags.machine) ?? new Set()).add(id));
  return instances;
}

/** One more worker of the engine's, as `quorate worker` is; another one follows it when it dies, until the test is over. */
function startWorker(): void {
  if (over.signal.aborted) return;
  const child = spawn(process.execPath, [`${packageRoot()}/bin/quorate.js`, 'worker'], {
    env: env.home.env,
    stdio: 'ignore',
  });
  beside.add(child);
  child.once('exit', () => {
    beside.delete(child);
    startWorker();
  });
}

/**
 * Kills a worker every one to three seconds, and less often where the status takes long: a slow machine would start workers
 * and do nothing else. @returns how many of which kind
 */
async function killWorkers(random: Random): Promise<Record<string, number>> {
  const killed: Record<string, number> = { controllers: 0, engine: 0, beside: 0 };
  let slow = 0;
  while (!over.signal.aborted) {
    await sleep(Math.max(random.between(1000, 3000), slow));
    const asked = performance.now();
    const { controllers } = await status();
    slow = Math.min(PAUSE_PER_LOOK * (performance.now() - asked), LONGEST_PAUSE_MS);
    const kind = random.pick([
      [3, 'controllers'],
      [1, 'engine'],
      [6, 'beside'],
    ] as const);
    if (kind === 'engine') {
      await env.killEngineWorker();
      await env.home.ok('engine', 'start');
    } else {
      const pids =
        kind === 'beside'
          ? [...beside].map(({ pid }) => pid)
          : controllers.flatMap(({ services }) => services.worker?.pid ?? []);
      const pid = pids[Math.floor(random.between(0, pids.length))];
      if (pid === undefined) continue;
      kill(pid);
    }
    killed[kind] = (killed[kind] ?? 0) + 1;
  }
  return killed;
}

/** Adds machines in handfuls and removes some of those that are there, whatever they are doing. @returns all IDs */
async function comeAndGo(random: Random): Promise<string[]> {
  const added: string[] = [];
  while (added.length < MACHINES) {
    const alive = (await workload()).filter(({ life }) => life === 'alive');
    const room = Math.min(MOST - alive.length, MACHINES - added.length);
    if (room > 0) {
      const body = { count: Math.ceil(random.between(0, Math.min(room, 8))), constraints: {} };
      const answer = await ask<AddedMachines>('POST', '/v1/machines', {
        body,
        idempotencyKey: randomUUID(),
      });
      added.push(...answer.body.machines);
    }
    for (const { id } of alive.filter(() => random.chance(0.3))) await remove(id, random.chance(0.5));
    await lookAtInstances();
    await sleep(random.between(200, 1000));
  }
  return added;
}

async function remove(id: string, force: boolean): Promise<void> {
  try {
    await ask('DELETE', `/v1/machines/${id}?force=${force}`, { idempotencyKey: randomUUID() });
  } catch (error) {
    // It is on its way already.
    if (!(error instanceof QuorateError) || !['machine-not-alive', 'not-found'].includes(error.code)) throw error;
  }
}

test(`${MACHINES} machines come and go while workers are killed: none is started twice, forgotten or left over`, async () => {
  console.log(`QUORATE_KILLS_SEED=${SEED}`);
  for (let each = 0; each < BESIDE; each += 1) startWorker();
  killing = killWorkers(seededRandom(SEED, 'kills'));
  killing.catch(() => undefined);
  const added = await comeAndGo(seededRandom(SEED, 'machines'));
  expect(new Set(added).size).toBe(MACHINES);

  // Workers go on being killed until all of those that stay are up.
  const up = await until(
    'every machine that stays to be up, every other one to be gone',
    async () => {
      const machines = await workload();
      const others = machines.filter(({ life, agent }) => life !== 'alive' || agent !== 'started');
      if (others.length > 0) throw new Error(JSON.stringify(others));
      return machines;
    },
    180,
    500,
  );
  over.abort();
  console.log(`killed: ${JSON.stringify(await killing)}; ${up.length} machines stay`);

  for (const { id } of up) await remove(id, false);
  await until('all machines to be forgotten', async () => (await workload()).length === 0, 120, 500);
  const theirs = (await status()).controllers.map(({ machine }) => machine).sort();
  // One whose machine was removed while it was being started belongs to nobody, and is found by looking for such.
  await until(
    'no instance but the controllers’ to be left',
    async () => {
      const left = (await lookAtInstances()).filter(({ state }) => state !== 'terminated');
      const machines = left.map(({ tags }) => tags.machine).sort();
      if (machines.join() !== theirs.join()) throw new Error(`there are those of ${machines.join()}`);
      return true;
    },
    180,
    500,
  );
  expect([...seen].filter(([, ids]) => ids.size > 1)).toEqual([]);
  expect(await env.lost()).toEqual([]);
  for (const worker of beside) kill(worker.pid);
}, 900_000);
