import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Changes } from '../../src/api/changes.js';
import type { Status } from '../../src/api/status.js';
import { ensureEngine } from '../../src/engine/engine.js';
import type { Goal } from '../../src/membership/types.js';
import { cancelChange, followChange, progressOf, runningChange, startChange } from '../../src/temporal/changes.js';
import { connectTemporal, type Temporal } from '../../src/temporal/connect.js';
import { environmentKey, SINGLETONS, workflowIds } from '../../src/temporal/names.js';
import type { ChangeInput, Progress } from '../../src/temporal/progress.js';
import { TestEnvironment } from '../support/environment.js';
import { record } from '../support/histories.js';
import { until } from '../support/home.js';

/** The workflows on a real Temporal, with real instances. */
let environment: TestEnvironment;
let temporal: Temporal;
let input: ChangeInput;
let key: string;

beforeAll(async () => {
  environment = await TestEnvironment.bootstrap(1);
  const engine = await ensureEngine(environment.store.dirs);
  temporal = await connectTemporal({ target: engine.connection, uiUrl: engine.uiUrl });
  const record = await environment.store.readEnvironment('demo');
  if (record === null) throw new Error('no record');
  key = environmentKey(record.name, record.uuid);
  input = {
    environment: { name: record.name, uuid: record.uuid },
    key,
    by: 'ana',
    ui: engine.uiUrl ?? '',
    searchable: true,
  };
}, 120_000);

afterAll(async () => {
  await temporal?.connection.close();
  await environment?.close();
}, 60_000);

const goal = (controllers: number): Goal => ({
  controllers,
  keep: [],
  avoid: [],
  to: [],
  settle: false,
  primary: null,
});
const change = (type: 'enableHa' | 'disableHa', from: number, to: number) =>
  startChange(temporal, type, { ...input, goal: goal(to), from });
const nothing = () => undefined;
const boots = ({ instance, member }: Status['controllers'][number]) => instance !== '' && member === null;
const texts = (progress: Progress | null) => progress?.steps.map(({ text }) => text).join('\n') ?? '';

describe('changes of membership', () => {
  test('bootstrap has told its story and started the singletons', async () => {
    const bootstrap = temporal.client.workflow.getHandle(workflowIds.bootstrap(key));
    expect((await bootstrap.describe()).status.name).toBe('COMPLETED');
    await record('bootstrap', bootstrap);
    for (const name of SINGLETONS) {
      const { status, type } = await temporal.client.workflow.getHandle(workflowIds.singleton(key, name)).describe();
      expect([type, status.name]).toEqual([name, 'RUNNING']);
    }
  });

  test('1 → 3: done in under 200 events, told in words, and a second change is refused meanwhile', async () => {
    const started = await change('enableHa', 1, 3);
    // The environment numbers it with its first act; until then it goes by its workflow's ID.
    const id = await until('its number and its first step', async () => {
      const running = await runningChange(temporal, key, started.workflowId);
      return running?.step && running.change.id !== started.workflowId ? running.change.id : null;
    });
    expect(id).toMatch(new RegExp(`^${key}-\\d+$`));
    expect([id, started.workflowId]).toContain(started.id);
    await expect(change('disableHa', 3, 1)).rejects.toMatchObject({
      code: 'change-running',
      message: expect.stringMatching(/^demo is being changed already: enable-ha, .+, since \d+ s\.$/),
      todo: expect.stringContaining(id),
    });
    const seen: Progress[] = [];
    const end = await followChange(started, (progress) => seen.push(progress));
    expect(end).toMatchObject({ state: 'done', kind: 'enable-ha' });
    // On a busy machine one of them may have to catch up once more in between.
    const done = end?.steps.filter(({ state }) => state === 'done').map(({ text }) => text) ?? [];
    expect(done.filter((text) => /\bvote to\b/.test(text))).toEqual([
      'grant a vote to machine 1',
      'grant a vote to machine 2',
    ]);
    expect(seen.some(({ steps }) => steps.some(({ state }) => state === 'next'))).toBe(true);

    const { history, description } = await record('enableHa', started.handle);
    expect(history.events?.length).toBeLessThan(200);
    expect(await description.staticSummary()).toBe('demo: 1 → 3 controllers, asked for by ana');
    expect(description.typedSearchAttributes.getAll().map(({ key: { name }, value }) => [name, value])).toEqual(
      expect.arrayContaining([
        ['QuorateEnvironment', 'demo'],
        ['QuoratePhase', 'ha'],
        ['QuorateControllers', 3],
      ]),
    );
    expect((await environment.status()).ha.voters).toBe(3);
  });

  test('another one becomes primary, and a new controller votes before an old one leaves', async () => {
    const before = await environment.status();
    const heir = before.controllers.find(({ machine }) => machine !== before.ha.primary)?.machine ?? '';
    const over = await startChange(temporal, 'switchover', {
      ...input,
      goal: { ...goal(3), settle: true, primary: heir },
      from: 3,
    });
    expect(await followChange(over, nothing)).toMatchObject({ state: 'done' });
    await record('switchover', over.handle);
    expect((await environment.status()).ha.primary).toBe(heir);

    const leaver = before.ha.primary ?? '';
    const replaced = await startChange(temporal, 'replace', {
      ...input,
      goal: { ...goal(3), avoid: [leaver] },
      from: 3,
    });
    const end = await followChange(replaced, nothing);
    expect(end).toMatchObject({ state: 'done' });
    await record('replace', replaced.handle);
    const steps = texts(end).split('\n');
    const at = (words: RegExp) => steps.findIndex((text) => words.test(text));
    expect(at(/^grant a vote/)).toBeGreaterThanOrEqual(0);
    expect(at(new RegExp(`^withdraw the vote of machine ${leaver}`))).toBeGreaterThan(at(/^grant a vote/));
    const { controllers } = await environment.status();
    expect(controllers.map(({ machine }) => machine)).not.toContain(leaver);
  });

  test('changed settings of the set take effect, and what was asked for before stays', async () => {
    const config = () => environment.home.ok('config', 'heartbeat-interval=300ms', 'x-note=1');
    const started = performance.now();
    await config();
    console.log(`settings took effect in ${Math.round(performance.now() - started)} ms`);
    const handle = temporal.client.workflow.getHandle(workflowIds.membership(key));
    const { history, description } = await record('configure', handle);
    expect(description).toMatchObject({ type: 'configure', status: { name: 'COMPLETED' } });
    expect(await description.staticSummary()).toMatch(/^demo: put changed settings into effect, asked for by /);
    expect(history.events?.length).toBeLessThan(60);
    expect((await environment.status()).ha).toMatchObject({ desired: 3, voters: 3 });
    const { changes } = (await environment.client.request<Changes>('GET', '/v1/changes')).body;
    expect(changes[0]).toMatchObject({ kind: 'configure', state: 'done' });
    expect(changes[0]?.steps.map(({ text }) => text)).toContain(
      'set the heartbeat interval to 300 ms, the election timeout to 2000 ms',
    );
    // The same again: nothing is to be done, and no change is made of it.
    await config();
    const latest = (await environment.client.request<Changes>('GET', '/v1/changes')).body.changes[0];
    expect(latest?.runId).toBe(changes[0]?.runId);
    // Once more, beside another change, which cannot end as long as a newcomer hangs: it is said that this one takes it in.
    expect(await followChange(await change('disableHa', 3, 1), nothing)).toMatchObject({ state: 'done' });
    const up = await change('enableHa', 1, 3);
    const { controllers } = await environment.statusWhen('a newcomer', ({ controllers }) => controllers.some(boots));
    const instance = controllers.find(boots)?.instance ?? '';
    await environment.cloud.pause(instance);
    const { code, stderr } = await environment.home.run('config', 'heartbeat-interval=');
    await environment.cloud.resume(instance);
    expect([code, stderr]).toEqual([0, expect.stringContaining('The settings take effect with it')]);
    const end = await followChange(up, nothing);
    expect(end).toMatchObject({ state: 'done' });
    expect(texts(end)).toContain('set the heartbeat interval to 500 ms, the election timeout to 2000 ms');
  });

  test('cancelled on the way down, it goes on to a safe point, says where, and is gone on with by the same command', async () => {
    const started = await change('disableHa', 3, 1);
    await until('the first vote to be withdrawn', async () => {
      const running = await runningChange(temporal, key, started.workflowId);
      return running === null || running.step.includes('withdraw the vote');
    });
    await started.handle.cancel();
    const end = await followChange(started, nothing);
    await record('disableHa-cancelled', started.handle);
    expect(end?.state).toBe('cancelled');
    const left = await environment.status();
    expect([1, 3]).toContain(left.ha.voters);
    const voters = left.controllers.filter(({ member }) => member?.vote).map(({ machine }) => machine);
    const [, named = ''] = /^(?:1 controller votes|3 controllers vote) \(([^)]+)\)/.exec(end?.result ?? '') ?? [];
    expect(named.split(/, | and /).sort(), end?.result).toEqual(voters.sort());
    expect(end?.result.includes('The same command goes on from here.'), end?.result).toBe(left.ha.voters !== 1);

    const again = await change('disableHa', 3, 1);
    expect(await followChange(again, nothing)).toMatchObject({ state: 'done' });
    await record('disableHa', again.handle);
    const { machines, ha } = await environment.status();
    expect(ha.voters).toBe(1);
    expect(machines.filter(({ life }) => life === 'alive')).toHaveLength(0);
  });

  test('terminated in the UI in the middle and started again: three machines in the end, not five', async () => {
    const first = await change('enableHa', 1, 3);
    await until('machines to be waited for', async () => {
      const running = await runningChange(temporal, key, first.workflowId);
      return running?.progress?.waitingFor;
    });
    await first.handle.terminate('by the test');
    const again = await change('enableHa', 1, 3);
    expect(await followChange(again, nothing)).toMatchObject({ state: 'done' });
    expect((await environment.status()).controllers).toHaveLength(3);
  });

  test('a worker killed in the middle costs time, not the change', async () => {
    const [{ machine } = { machine: '' }] = (await environment.status()).controllers;
    const worker = await environment.pidOf(machine, 'worker');
    const started = await change('disableHa', 3, 1);
    await until('its first answer', () => progressOf(started.handle));
    process.kill(worker, 'SIGKILL');
    expect(await followChange(started, nothing)).toMatchObject({ state: 'done' });
    expect((await environment.status()).ha.voters).toBe(1);
  });

  test('nothing that was acknowledged is lost', async () => {
    expect(await environment.lost()).toEqual([]);
  });

  test('a singleton that was terminated runs again once a worker starts', async () => {
    const handle = temporal.client.workflow.getHandle(workflowIds.singleton(key, 'cleaner'));
    await record('cleaner', handle);
    await handle.terminate('by the test');
    const [{ machine } = { machine: '' }] = (await environment.status()).controllers;
    process.kill(await environment.pidOf(machine, 'worker'), 'SIGTERM');
    await until('the cleaner to run', async () => (await handle.describe()).status.name === 'RUNNING');
  });

  test('destroy ends the singletons and every instance', async () => {
    // The cleaner has begun anew, and had nothing to do since.
    for (const name of SINGLETONS.filter((name) => name !== 'cleaner')) {
      await record(name, temporal.client.workflow.getHandle(workflowIds.singleton(key, name)));
    }
    const {
      environment: { name },
      ...rest
    } = input;
    await cancelChange(temporal, key, 'bootstrap');
    const started = await startChange(temporal, 'destroy', {
      ...rest,
      environment: input.environment,
      cloud: 'local',
      region: '',
      force: false,
    });
    const end = await followChange(started, nothing);
    expect(end).toMatchObject({ state: 'done', result: expect.stringContaining(`${name} is gone`) });
    await record('destroy', started.handle);
    expect(await environment.cloud.list(input.environment.uuid)).toEqual([]);
    const running = temporal.client.workflow.list({
      query: `ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH '${key}'`,
    });
    await until('no workflow of it to run', async () => {
      for await (const _ of running) return false;
      return true;
    });
  });
});
