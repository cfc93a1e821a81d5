import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Change, Changes } from '../../src/api/changes.js';
import type { Finding } from '../../src/cli/doctor/finding.js';
import type { Matrix } from '../../src/cli/matrix.js';
import { ensureEngine } from '../../src/engine/engine.js';
import { missingSearchAttributes } from '../../src/temporal/attributes.js';
import { connectTemporal, type Temporal } from '../../src/temporal/connect.js';
import { environmentKey, searchAttributes, workflowIds } from '../../src/temporal/names.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';

let environment: TestEnvironment;
let temporal: Temporal;
let uuid: string;
let key: string;

beforeAll(async () => {
  environment = await TestEnvironment.bootstrap(3);
  // What is broken here is broken on purpose.
  await environment.home.ok('config', 'auto-replace=false');
  const record = await environment.store.readEnvironment('demo');
  if (record === null) throw new Error('no record');
  uuid = record.uuid;
  key = environmentKey(record.name, uuid);
  const engine = await ensureEngine(environment.store.dirs);
  temporal = await connectTemporal({ target: engine.connection, uiUrl: engine.uiUrl });
}, 360_000);

afterAll(async () => {
  await temporal?.connection.close();
  await environment?.close();
}, 60_000);

async function doctor(...args: string[]): Promise<{ code: number | null; wrong: Finding[]; all: Finding[] }> {
  const { code, stdout, stderr } = await environment.home.run('doctor', '--format', 'json', ...args);
  if (stdout === '') throw new Error(stderr);
  const all = JSON.parse(stdout) as Finding[];
  return { code, all, wrong: all.filter(({ well }) => !well) };
}

/** What one check found wrong. */
const of = (findings: readonly Finding[], check: string) => findings.filter((finding) => finding.check === check);

test('an environment that is well: every check says so, and nothing is changed', async () => {
  const { code, wrong, all } = await until(
    'a quiet environment',
    async () => {
      const seen = await doctor();
      if (seen.wrong.length > 0) throw new Error(JSON.stringify(seen.wrong));
      return seen;
    },
    150,
  );
  expect([code, wrong]).toEqual([0, []]);
  const checks = new Set(all.filter(({ where }) => where === 'demo').map(({ check }) => check));
  for (const check of [
    'members',
    'reach',
    'instances',
    'workflows',
    'versions',
    'settings',
    'clocks',
    'disks',
    'certificates',
  ]) {
    expect([...checks]).toContain(check);
  }
  expect(await environment.home.ok('doctor')).toContain('All is well.');
});

test('who reaches whom: each says it itself; one that cannot be asked is named, and the rest is shown', async () => {
  const { home, cloud } = environment;
  const matrix = () => home.json<Matrix>('-e', 'demo', 'controllers', '--matrix');
  expect(await matrix()).toMatchObject({
    stale: false,
    controllers: ['0', '1', '2'],
    api: { '0': { '0': 'itself', '1': 'reaches', '2': 'reaches' }, '2': { '0': 'reaches', '1': 'reaches' } },
    members: { '1': { '0': 'reaches', '1': 'itself', '2': 'reaches' } },
    sources: { '0': 'asked', '1': 'asked', '2': 'asked' },
    cuts: [],
    errors: [],
  });
  const { ha } = await environment.status();
  const [paused, other] = ['0', '1', '2'].filter((machine) => machine !== ha.primary) as [string, string];
  const instances = [await environment.instanceOf(paused), await environment.instanceOf(other)] as const;
  try {
    await cloud.pause(instances[0]);
    const cut = await until(
      'the others to miss it',
      async () => {
        const seen = await matrix();
        return seen.members[ha.primary ?? '']?.[paused] === 'does not reach' ? seen : null;
      },
      120,
    );
    expect(cut.errors.map(({ machine }) => machine)).toEqual([paused]);
    expect(cut.members[other]?.[ha.primary ?? '']).toBe('reaches');
    expect(cut.cuts).toContain(`No controller reaches controller ${paused}.`);

    // Without a majority the one that is left is asked all the same.
    await cloud.pause(instances[1]);
    const alone = await until(
      'the last one to answer alone',
      async () => {
        const seen = await matrix();
        return seen.stale && seen.members[ha.primary ?? '']?.[other] === 'does not reach' ? seen : null;
      },
      120,
    );
    expect(alone.sources).toMatchObject({ [ha.primary ?? '']: 'asked', [paused]: 'none', [other]: 'none' });
    expect(alone.errors.map(({ machine }) => machine).sort()).toEqual([paused, other].sort());
  } finally {
    for (const instance of instances) await cloud.resume(instance).catch(() => undefined);
  }
  await environment.whole(3, 120);
});

test('an instance that no machine owns is found by its tag and ended; those of machines stay', async () => {
  const tags = { environment: uuid, machine: '77', nonce: 'by-hand' };
  const { id } = await environment.cloud.start({ tags, userData: '{}', zone: 'a' });
  const found = await doctor('-e', 'demo');
  expect(found.code).toBe(1);
  expect(of(found.wrong, 'instances')).toMatchObject([
    {
      seen: expect.stringContaining(id),
      todo: expect.stringContaining('--fix'),
      fix: { kind: 'terminate' },
      fixed: null,
    },
  ]);
  expect((await environment.cloud.describe(id))?.state).not.toBe('terminated');

  const { all } = await doctor('-e', 'demo', '--fix');
  expect(of(all, 'instances')).toMatchObject([{ fixed: { done: true } }]);
  expect((await environment.cloud.describe(id))?.state).toBe('terminated');
  expect(of((await doctor('-e', 'demo')).wrong, 'instances')).toEqual([]);
  expect((await environment.whole(3)).ha.healthyVoters).toBe(3);
});

test('an environment that is not known here is only removed by name', async () => {
  const unknown = randomUUID();
  const tags = { environment: unknown, machine: '0', nonce: 'by-hand' };
  await environment.cloud.start({ tags, userData: '{}', zone: 'a' });
  const found = await doctor('--fix');
  expect(of(found.wrong, 'local cloud')).toMatchObject([
    { seen: expect.stringContaining(unknown), todo: expect.stringContaining(`--unknown ${unknown}`), fix: null },
  ]);
  expect(await environment.cloud.environments()).toContain(unknown);
  expect(of((await doctor('--fix', '--unknown', unknown)).all, 'local cloud')).toMatchObject([
    { fixed: { done: true } },
  ]);
  expect(await environment.cloud.environments()).toEqual([uuid]);
});

test('a singleton that somebody ended is found and started again', async () => {
  // Workers would start it again within seconds: it is doctor's only where they do not run.
  const workers = await Promise.all(['0', '1', '2'].map((machine) => environment.pidOf(machine, 'worker')));
  for (const pid of workers) process.kill(pid, 'SIGSTOP');
  try {
    const id = workflowIds.singleton(key, 'cleaner');
    await temporal.client.workflow.getHandle(id).terminate('for the test');
    const { wrong } = await doctor('-e', 'demo');
    const said = expect.objectContaining({
      seen: 'the singleton cleaner is terminated',
      fix: { kind: 'start-singletons' },
    });
    expect(of(wrong, 'workflows')).toContainEqual(said);
    const { all } = await doctor('-e', 'demo', '--fix');
    const put = all.find(({ seen }) => seen === 'the singleton cleaner is terminated');
    expect(put).toMatchObject({ fixed: { done: true } });
    expect((await temporal.client.workflow.getHandle(id).describe()).status.name).toBe('RUNNING');
  } finally {
    for (const pid of workers) process.kill(pid, 'SIGCONT');
  }
});

test('search attributes that are gone are found and registered again', async () => {
  const { operatorService } = temporal.connection;
  await operatorService.removeSearchAttributes({
    namespace: temporal.namespace,
    searchAttributes: [searchAttributes.phase],
  });
  await until('the attribute to be gone', async () => (await missingSearchAttributes(temporal)).length > 0);
  expect(of((await doctor()).wrong, 'engine')).toMatchObject([{ seen: expect.stringContaining('QuoratePhase') }]);
  expect(of((await doctor('--fix')).all, 'engine').filter(({ well }) => !well)).toMatchObject([
    { fixed: { done: true } },
  ]);
  await until('the attribute to be there', async () => (await missingSearchAttributes(temporal)).length === 0);
});

test('a change whose workflow was ended from outside is found and closed, with its story as far as it came', async () => {
  const { home } = environment;
  await home.ok('enable-ha', '-n', '5', '--detach');
  const handle = temporal.client.workflow.getHandle(workflowIds.membership(key));
  const running = await until('the change to be written down with a step', async () => {
    const { changes } = (await environment.client.request<Changes>('GET', '/v1/changes')).body;
    return changes.find(({ state, steps }) => state === 'running' && steps.length > 0);
  });
  await handle.terminate('for the test');
  const { wrong } = await doctor('-e', 'demo');
  expect(of(wrong, 'changes')).toMatchObject([
    { seen: expect.stringContaining(running.id), fix: { kind: 'close-change', runId: running.runId } },
  ]);
  expect(of((await doctor('-e', 'demo', '--fix')).all, 'changes')).toMatchObject([{ fixed: { done: true } }]);
  const closed = await home.json<Change>('show-change', running.id);
  expect(closed).toMatchObject({ state: 'failed', result: expect.stringContaining('closed by quorate doctor') });
  expect(closed.steps.length).toBeGreaterThanOrEqual(running.steps.length);
  expect(closed.steps.every(({ state }) => state === 'done' || state === 'failed')).toBe(true);
  expect(of((await doctor('-e', 'demo')).wrong, 'changes')).toEqual([]);
});

test('without Temporal doctor says so and starts nothing, and the story of a change can be read', async () => {
  const { home } = environment;
  await home.ok('engine', 'stop');
  const { code, wrong } = await doctor();
  expect(code).toBe(1);
  expect(of(wrong, 'engine')).toMatchObject([{ todo: expect.stringContaining('quorate engine start') }]);
  expect(of(wrong, 'temporal')).toHaveLength(1);
  expect(home.processes().filter(({ command }) => command.includes('start-dev'))).toEqual([]);
  const story = await home.ok('show-change', '1', '--ascii');
  expect(story).toMatch(/enable-ha {3}done in/);
  expect(story).toMatch(/^\d\d:\d\d:\d\d {2}\+ grant a vote to machine 2 +\d/m);
  expect(story).toMatch(/seen {2}config \d+ of term \d+, on a majority/);
  expect(story).toMatch(/wait {2}until \d\d:\d\d:\d\d at most, then: /);
});
