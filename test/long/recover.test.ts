/** A majority is lost for good, and a person goes on with what one member holds (docs/operating.md). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Change } from '../../src/api/changes.js';
import { engineStatus } from '../../src/engine/engine.js';
import type { RecoveryView } from '../../src/membership/recovery.js';
import { TestEnvironment, WRITER_PAUSE_MS } from '../support/environment.js';
import { record } from '../support/histories.js';
import { until } from '../support/home.js';
import { kill } from '../support/kill.js';
import { COMMANDS } from '../support/programs.js';
import { onMembership } from '../support/temporal.js';

let env: TestEnvironment;
/** The last secondary; the others, the primary among them, are lost. */
let survivor = '';
let lost: { readonly stopped: string; readonly terminated: string };
let worker = 0;
let uuid = '';

beforeAll(async () => {
  env = await TestEnvironment.bootstrap(3);
}, 300_000);
afterAll(async () => {
  await env?.close();
}, 120_000);

test('while there is a majority nothing is recovered, and it is said why', async () => {
  for (const args of [[], ['--survivor', '0'], ['--survivor', '0', '--confirm', 'demo']]) {
    const { code, stderr } = await env.home.run('recover', ...args);
    expect(stderr).toMatch(/nothing is to be recovered: 3 of 3 voters answer, and machine \d is primary/);
    expect(code).toBe(1);
  }
  expect((await env.home.run('recover', '--survivor', 'x')).code).toBe(2);
});

test('two of three are lost: what the last one holds is shown, and nothing is done', async () => {
  // What was acknowledged has reached everybody, so that none of it may be missing in the end.
  await env.writer.stop();
  await until('everybody to hold everything', async () => {
    const { controllers } = await env.status();
    return controllers.every(({ member }) => member?.lagSeconds === 0);
  });
  const { controllers, ha, environment } = await env.status();
  uuid = environment.uuid;
  const last = controllers.filter(({ machine }) => machine !== ha.primary).at(-1);
  const others = controllers.filter(({ machine }) => machine !== last?.machine);
  survivor = last?.machine ?? '';
  worker = last?.services?.worker?.pid ?? 0;
  lost = { stopped: others[0]?.instance ?? '', terminated: others[1]?.instance ?? '' };
  await env.cloud.stop(lost.stopped, { graceMs: 0 });
  await env.cloud.terminate(lost.terminated);
  await env.statusWhen('the majority to be missed', ({ stale }) => stale);

  const view = await until(
    'the survey of one member',
    async () => {
      const view = await env.home.json<RecoveryView & { recommended: string }>('recover');
      return view.survey?.primary === null && view.survey.holders.length === 1 ? view : null;
    },
    120,
  );
  expect(view).toMatchObject({ desired: 3, unfinished: false, workloads: [], recommended: survivor });
  expect(view.survey?.holders[0]).toMatchObject({ machine: survivor, state: 'SECONDARY', votes: 1 });
  expect(view.survey?.holders[0]?.applied).not.toBeNull();
  expect(view.survey?.holders[0]?.committed).not.toBeNull();

  const text = await env.home.ok('recover', '--survivor', survivor, '--plan');
  expect(text).toMatch(/1 of 3 voters answer; 2 would be a majority\. Nothing was done\./);
  expect(text).toMatch(/holds most of those that answer/);
  expect(text).toMatch(/may lose {2}Whatever was acknowledged and is held only by machines \d and \d/);
  expect(text).toMatch(/grow back to 3 controllers/);
});

test.each([
  [
    'a machine that is no member',
    () => ['--survivor', '9', '--confirm', 'demo'],
    2,
    /machine 9 is no member of the set/,
  ],
  ['one that does not answer', () => ['--survivor', other(), '--confirm', 'demo'], 1, /does not answer/],
  ['a wrong name', () => ['--survivor', survivor, '--confirm', 'demos'], 1, /'demos' is not the name/],
  ['--yes alone', () => ['--survivor', survivor, '--yes'], 2, /Say so with: --confirm demo/],
])('%s is refused, and nobody is ended', async (_, args, code, message) => {
  const run = await env.home.run('recover', ...args());
  expect(run.stderr).toMatch(message);
  expect(run.code).toBe(code);
  const stopped = await env.cloud.describe(lost.stopped);
  expect(stopped?.state).toBe('stopped');
  expect((await env.status()).stale).toBe(true);
});

test('the survivor starts again, and knows no more what a majority had: what it holds is shown all the same', async () => {
  const instance = await instanceOf(survivor);
  await env.cloud.stop(instance, { graceMs: 0 });
  await env.cloud.startAgain(instance);
  const view = await until(
    'the survey of a member that started alone',
    async () => {
      const { code, stdout } = await env.home.run('recover', '--format', 'json');
      const view = code === 0 ? (JSON.parse(stdout) as RecoveryView) : null;
      return view?.survey?.holders.length === 1 ? view : null;
    },
    120,
  );
  expect(view.survey?.primary).toBeNull();
  expect(view.survey?.holders[0]).toMatchObject({ machine: survivor, state: 'SECONDARY', votes: 1, committed: null });
  // Its agent cannot say so, as nothing is written.
  worker = env.home.processes().find(({ command }) => COMMANDS.worker.test(command))?.pid ?? 0;
});

test('going on with it: the others are ended, three vote again, whatever dies in between; nothing is lost', async () => {
  await env.home.ok('recover', '--survivor', survivor, '--confirm', 'demo', '--detach');
  // The request is recorded right before it is sent: its worker dies before it can say that it was done.
  const instance = await instanceOf(survivor);
  const file = join(env.store.dirs.localCloud, uuid, instance, 'disk', 'identity', 'forced.json');
  await until('the request to be recorded', () => readFile(file, 'utf8').catch(() => null), 120);
  kill(worker);
  const again = await env.home.run('recover', '--survivor', survivor, '--confirm', 'demo');
  expect(again.stderr).toMatch(
    /is being changed already: recover|nothing is to be recovered|made a set of its own before/,
  );

  await env.statusWhen('the survivor to take writes', ({ ha }) => ha.primary === survivor, 120);
  const { pid } = await engineStatus(env.store.dirs);
  kill(pid);
  await env.home.ok('engine', 'start');
  env.writer.start(WRITER_PAUSE_MS);
  await env.whole(3, 300);
  await env.statusWhen('no change', ({ change }) => change === null, 120);

  const change = (await env.home.json<Change[]>('changes')).find(({ kind }) => kind === 'recover');
  expect(change?.state).toBe('done');
  await onMembership(env.store, 'demo', (handle) => record('recover', handle));
  // Told as done, or as failed and found done, where its worker took long to come back.
  expect(change?.steps.map(({ text }) => text)).toContain(`make machine ${survivor} a set of its own`);
  const { requestId } = JSON.parse(await readFile(file, 'utf8')) as { requestId: string };
  expect(requestId.startsWith(`${change?.runId}/`)).toBe(true);
  const instances = await env.cloud.list(uuid);
  expect(instances.find(({ id }) => id === lost.stopped)?.state ?? 'terminated').toBe('terminated');
  expect(instances.filter(({ state }) => state === 'running')).toHaveLength(3);
  expect(await env.lost()).toEqual([]);
}, 600_000);

test('typed once more it is refused: there is a majority', async () => {
  const { code, stderr } = await env.home.run('recover', '--survivor', survivor, '--confirm', 'demo');
  expect(stderr).toMatch(/nothing is to be recovered: 3 of 3 voters answer/);
  expect(code).toBe(1);
});

async function instanceOf(machine: string): Promise<string> {
  return (await env.cloud.list(uuid)).find(({ tags }) => tags.machine === machine)?.id ?? '';
}

const other = () => (survivor === '0' ? '1' : '0');
