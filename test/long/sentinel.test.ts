import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Changes } from '../../src/api/changes.js';
import type { Addresses } from '../../src/api/machines.js';
import type { Status } from '../../src/api/status.js';
import { engineStatus } from '../../src/engine/engine.js';
import { secondaryOf, TestEnvironment } from '../support/environment.js';
import { record } from '../support/histories.js';
import { until } from '../support/home.js';
import { Sentinel } from '../support/sentinel.js';
import { onMembership } from '../support/temporal.js';

/** Everything here happens on a machine that may be busy with much else. */
const SECONDS = 240;

let env: TestEnvironment;
let sentinel: Sentinel;

async function begin(config: readonly string[] = []): Promise<void> {
  env = await TestEnvironment.bootstrap(3, config);
  await env.whole(3, SECONDS);
  sentinel = await Sentinel.of(env);
}

async function end(): Promise<void> {
  await sentinel?.close();
  await env?.close();
}

async function changes(): Promise<Changes['changes']> {
  return (await env.client.request<Changes>('GET', '/v1/changes')).body.changes;
}

async function replacements(): Promise<Changes['changes']> {
  return (await changes()).filter(({ kind }) => kind === 'replace');
}

async function runningInstances(): Promise<string[]> {
  const all = await env.home.json<{ id: string; state: string }[]>('cloud', 'list');
  return all.flatMap(({ id, state }) => (state === 'terminated' ? [] : [id])).sort();
}

/** Three others vote, nothing runs that belongs to nobody, and one replacement did it. */
async function isReplaced(machine: string, before: number): Promise<Status> {
  const status = await env.replaced(machine, SECONDS);
  expect(await runningInstances()).toEqual(status.controllers.map(({ instance }) => instance).sort());
  const done = await replacements();
  expect(done.slice(0, done.length - before).map(({ state, by }) => [state, by])).toEqual([['done', 'sentinel']]);
  expect(done[0]?.summary).toMatch(new RegExp(`^demo: replace machine ${machine}, lost, asked for by sentinel$`));
  return status;
}

/** The commands of an instance's processes. */
function runningOn(instance: string): string[] {
  return env.home.processes().flatMap(({ pid, command }) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(instance) ? [command] : [];
    } catch {
      return []; // It ended while we looked.
    }
  });
}

async function terminate(machine: string): Promise<void> {
  await env.cloud.terminate(await env.instanceOf(machine));
}

describe('by the cloud’s word', () => {
  beforeAll(() => begin(), SECONDS * 1000);
  afterAll(end, 60_000);

  test('a secondary that is terminated is replaced', async () => {
    const machine = secondaryOf(await env.status(), await sentinel.machine());
    const { events } = await sentinel.handle.fetchHistory();
    await terminate(machine);
    await isReplaced(machine, 0);
    await record('sentinel-loss', sentinel.handle, events?.length);
    await onMembership(env.store, 'demo', (change) => record('replace-lost', change));
  });

  test('so is the primary', async () => {
    const machine = (await env.status()).ha.primary ?? '';
    await terminate(machine);
    await isReplaced(machine, 1);
  });

  test('so is the controller on which the sentinel itself watches', async () => {
    const machine = await sentinel.machine();
    await terminate(machine);
    await isReplaced(machine, 2);
  });

  test('a fourth within a day is left to a person: status says so, and what to type; that makes it good', async () => {
    const machine = secondaryOf(await env.status());
    await terminate(machine);
    const { ha } = await env.statusWhen(
      'the loss to be told, and to be left',
      ({ controllers }) => controllers.find((one) => one.machine === machine)?.evidence?.verdict === 'terminated',
      SECONDS,
    );
    expect(ha.problems.join('\n')).toMatch(
      new RegExp(
        `^Machine ${machine} is terminated, says its cloud.*; in \\d+ min: replaced, as there were 3 within a day already; sooner with: quorate enable-ha\\.$`,
        'm',
      ),
    );
    expect((await changes()).map(({ state }) => state)).not.toContain('running');
    await env.home.ok('enable-ha');
    const status = await env.whole(3, SECONDS);
    expect(status.controllers.map((one) => one.machine)).not.toContain(machine);
    expect(await replacements()).toHaveLength(3);
  });

  test('nothing that was acknowledged is lost', async () => {
    expect(await env.lost()).toEqual([]);
  });
});

describe('when it need not, may not, or is ended', () => {
  beforeAll(() => begin(['auto-replace=false', 'stopped-grace=1h', 'grace=1h']), SECONDS * 1000);
  afterAll(end, 60_000);

  test('a reboot within the grace keeps its instance', async () => {
    const machine = secondaryOf(await env.status());
    const instance = await env.instanceOf(machine);
    await env.cloud.powerOff(instance);
    const told = await env.statusWhen(
      'its absence to be told',
      ({ controllers }) => controllers.some((one) => one.machine === machine && one.evidence !== null),
      SECONDS,
    );
    expect(told.ha.problems.join('\n')).toMatch(new RegExp(`machine ${machine}`, 'i'));
    await env.cloud.startAgain(instance);
    const status = await env.statusWhen(
      'all to be well again',
      ({ ha, controllers }) => ha.healthyVoters === 3 && controllers.every(({ evidence }) => evidence === null),
      SECONDS,
    );
    expect(status.controllers.find((one) => one.machine === machine)?.instance).toBe(instance);
    expect(await replacements()).toEqual([]);
  }, 600_000);

  test('switched off, it tells of the loss and leaves it at that; switched on again it acts', async () => {
    const machine = secondaryOf(await env.status());
    await terminate(machine);
    const status = await env.statusWhen(
      'the loss to be told',
      ({ controllers }) => controllers.find((one) => one.machine === machine)?.evidence?.verdict === 'terminated',
      SECONDS,
    );
    expect(status.ha.problems.join('\n')).toMatch(/auto-replace/);
    expect(await replacements()).toEqual([]);
    await env.home.ok('config', 'auto-replace=true');
    await isReplaced(machine, 0);
  });

  test('terminated by hand in Temporal, it is started again and goes on watching', async () => {
    const { handle } = sentinel;
    const { runId } = await handle.describe();
    await handle.terminate('by the test');
    await until(
      'the sentinel to run again',
      async () => {
        const now = await handle.describe();
        return now.status.name === 'RUNNING' && now.runId !== runId;
      },
      SECONDS,
    );
    const machine = secondaryOf(await env.status());
    await terminate(machine);
    await isReplaced(machine, 1);
  });

  test('a loss in the middle of enable-ha is taken in by it; no instance is doubled', async () => {
    const machine = secondaryOf(await env.status());
    const { done } = env.home.start('enable-ha', '-n', '5');
    await env.statusWhen('new machines', ({ controllers }) => controllers.length === 5, SECONDS);
    await terminate(machine);
    const { code, stdout, stderr } = await done;
    if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
    const status = await env.statusWhen(
      'five that are well',
      ({ ha, change }) => ha.healthyVoters === 5 && ha.voters === 5 && change === null,
      SECONDS,
    );
    expect(status.controllers.map((one) => one.machine)).not.toContain(machine);
    expect(await runningInstances()).toEqual(status.controllers.map(({ instance }) => instance).sort());
    expect(await replacements()).toHaveLength(2);
  }, 600_000);

  test('nothing that was acknowledged is lost', async () => {
    expect(await env.lost()).toEqual([]);
  });
});

describe('by silence', () => {
  beforeAll(() => begin(['grace=10s']), SECONDS * 1000);
  afterAll(end, 60_000);

  test('one that is frozen for longer than its grace is replaced, and ended for good', async () => {
    const machine = secondaryOf(await env.status());
    const instance = await env.instanceOf(machine);
    await env.cloud.pause(instance);
    await isReplaced(machine, 0);
    expect((await env.cloud.describe(instance))?.state).toBe('terminated');
  });

  test('the engine and its worker are killed in the middle of a replacement, which goes on once they are there again', async () => {
    const machine = (await env.status()).ha.primary ?? '';
    await terminate(machine);
    await env.statusWhen('the replacement to have begun', ({ change }) => change?.kind === 'replace', SECONDS);
    const { pid } = await engineStatus(env.store.dirs);
    if (pid === null) throw new Error('the engine does not run');
    process.kill(pid, 'SIGKILL');
    await env.killEngineWorker();
    await env.home.ok('engine', 'start');
    await isReplaced(machine, 1);
  });

  test('one that is replaced and turns up again before its cloud could end it is kept out, and ended', async () => {
    const machine = secondaryOf(await env.status());
    const instance = await env.instanceOf(machine);
    // Nobody is left who could have the cloud terminate it, or start another one.
    await env.killEngineWorker();
    await env.cloud.pause(instance);
    await env.statusWhen(
      'its member to be removed all the same',
      ({ ha, controllers }) => ha.voters === 2 && controllers.find((one) => one.machine === machine)?.member === null,
      SECONDS,
    );
    await env.cloud.resume(instance);
    await until(
      'it to have stopped all that it ran',
      async () => runningOn(instance).every((command) => !/mongod|controller/.test(command)),
      SECONDS,
    );
    expect(
      (await env.client.request<Addresses>('GET', '/v1/addresses')).body.servers.map((one) => one.machine),
    ).not.toContain(machine);
    expect((await env.cloud.describe(instance))?.state).toBe('running');
    await env.home.ok('engine', 'start');
    await isReplaced(machine, 2);
    expect((await env.cloud.describe(instance))?.state).toBe('terminated');
  }, 600_000);

  test('nothing that was acknowledged is lost', async () => {
    expect(await env.lost()).toEqual([]);
  });
});
