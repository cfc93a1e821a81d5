import { MongoClient } from 'mongodb';
import { afterEach, expect, test } from 'vitest';
import { engineStatus } from '../../src/engine/engine.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';

let env: TestEnvironment | null = null;
afterEach(async () => {
  await env?.close();
  env = null;
});

async function environment(controllers: 1 | 3 = 1): Promise<TestEnvironment> {
  env = await TestEnvironment.bootstrap(controllers);
  return env;
}

/** The change ends by itself, whatever was killed: three vote, three instances run, nothing was lost. */
async function endsWithThree(env: TestEnvironment, seconds = 120): Promise<void> {
  await env.statusWhen(
    'three controllers and no change',
    (status) => status.ha.healthyVoters === 3 && status.ha.voters === 3 && status.change === null,
    seconds,
  );
  const instances = await env.home.json<{ state: string }[]>('cloud', 'list');
  expect(instances.filter(({ state }) => state === 'running')).toHaveLength(3);
}

test('workers are killed at ten moments of changes; each change ends, nothing is lost', async () => {
  const env = await environment();
  let up = true;
  for (let round = 0; round < 10; round++) {
    const { done } = env.home.start(...(up ? ['enable-ha'] : ['disable-ha']));
    await new Promise((resolve) => setTimeout(resolve, 200 + Math.floor(Math.random() * 3000)));
    const { controllers } = await env.status();
    for (const { services } of controllers) if (services.worker?.pid) kill(services.worker.pid);
    if (round % 3 === 2) {
      await env.killEngineWorker();
      // The engine's worker comes back with the next command that needs it.
      await env.home.ok('engine', 'start');
    }
    const run = await done;
    expect(run.stdout).toMatch(up ? /3 of 3 vote/ : /1 of 1 vote/);
    expect(run.code).toBe(0);
    await env.whole(up ? 3 : 1);
    up = !up;
  }
  expect(await env.lost()).toEqual([]);
}, 600_000);

test('the engine is killed in the middle and started again by the next command; the change goes on', async () => {
  const env = await environment();
  await env.home.ok('enable-ha', '--detach');
  await env.statusWhen('the change to have begun', ({ change }) => change !== null);
  const { pid } = await engineStatus(env.store.dirs);
  kill(pid ?? 0);
  await env.home.ok('engine', 'start');
  await endsWithThree(env);
  expect(await env.lost()).toEqual([]);
});

test('the command is killed in the middle; the change goes on and can be followed again', async () => {
  const env = await environment();
  const { child, done } = env.home.start('enable-ha');
  await env.statusWhen('the change to have begun', ({ change }) => change !== null);
  child.kill('SIGKILL');
  await done;
  await endsWithThree(env);
  expect(await env.lost()).toEqual([]);
});

test('two enable-ha at once: one runs, the other is told; three instances in the end', async () => {
  const env = await environment();
  const runs = await Promise.all([env.home.run('enable-ha'), env.home.run('enable-ha', '-n', '5')]);
  const codes = runs.map(({ code }) => code).sort();
  expect(codes).toEqual([0, 1]);
  const refused = runs.find(({ code }) => code === 1);
  expect(refused?.stderr).toMatch(/demo is being changed already: enable-ha/);
  expect(refused?.stderr).toMatch(/Follow it with: quorate watch/);
  const { ha } = await env.status();
  const instances = await env.home.json<{ state: string }[]>('cloud', 'list');
  expect(instances.filter(({ state }) => state === 'running')).toHaveLength(ha.voters);
  expect(await env.lost()).toEqual([]);
});

test('an instance is ended while it joins: another one takes its place', async () => {
  const env = await environment();
  const { done } = env.home.start('enable-ha');
  const instance = await until('the instance of machine 2', async () => {
    const all = await env.home.json<{ id: string; tags: { machine: string } }[]>('cloud', 'list');
    return all.find(({ tags }) => tags.machine === '2')?.id;
  });
  await env.cloud.terminate(instance);
  const { code, stdout, stderr } = await done;
  if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
  await env.whole(3);
  expect(await env.lost()).toEqual([]);
});

test('a reconfig is made by hand in the middle of a change: the change takes it in', async () => {
  const env = await environment();
  const { done } = env.home.start('enable-ha');
  await env.statusWhen('a member that joins', ({ controllers }) =>
    controllers.some(({ member }) => member !== null && !member.vote),
  );
  const client = await directClient(env);
  await until('a reconfig by hand', async () => {
    const { config } = await client.db('admin').command({ replSetGetConfig: 1 });
    const members = config.members.map((member: { votes: number }) =>
      member.votes === 0 ? { ...member, tags: { ...(member as { tags?: object }).tags, byHand: 'yes' } } : member,
    );
    return client
      .db('admin')
      .command({ replSetReconfig: { ...config, version: config.version + 1, members } })
      .catch(() => null);
  });
  await client.close();
  const { code, stderr } = await done;
  expect(stderr).not.toMatch(/this should not have happened/);
  expect(code).toBe(0);
  await env.whole(3);
  expect(await env.lost()).toEqual([]);
});

test('the workflow is terminated in the middle; the command typed again goes on from there', async () => {
  const env = await environment();
  await env.home.ok('enable-ha', '--detach');
  await env.statusWhen('a member that joins', ({ controllers }) =>
    controllers.some(({ member }) => member !== null && !member.vote),
  );
  const { ensureEngine } = await import('../../src/engine/engine.js');
  const { connectTemporal } = await import('../../src/temporal/connect.js');
  const { environmentKey, workflowIds } = await import('../../src/temporal/names.js');
  const record = await env.store.readEnvironment('demo');
  const { client, connection } = await connectTemporal({ target: (await ensureEngine(env.store.dirs)).connection });
  await client.workflow
    .getHandle(workflowIds.membership(environmentKey('demo', record?.uuid ?? '')))
    .terminate('by hand');
  await connection.close();
  await env.home.ok('enable-ha');
  await endsWithThree(env);
  expect(await env.lost()).toEqual([]);
});

test('a cancelled change stops at a safe point and says where', async () => {
  const env = await environment();
  const { done } = env.home.start('enable-ha');
  await env.statusWhen('two voters', ({ ha }) => ha.voters >= 2);
  const { ensureEngine } = await import('../../src/engine/engine.js');
  const { connectTemporal } = await import('../../src/temporal/connect.js');
  const { environmentKey, workflowIds } = await import('../../src/temporal/names.js');
  const record = await env.store.readEnvironment('demo');
  const { client, connection } = await connectTemporal({ target: (await ensureEngine(env.store.dirs)).connection });
  await client.workflow.getHandle(workflowIds.membership(environmentKey('demo', record?.uuid ?? ''))).cancel();
  await connection.close();
  const { code, stderr } = await done;
  if (code !== 0) expect(stderr).toMatch(/was cancelled: /);
  const { ha } = await env.status();
  expect(ha.voters % 2).toBe(1);
  await env.home.ok('enable-ha').catch((error) => expect(String(error)).toMatch(/already/));
  await endsWithThree(env);
  expect(await env.lost()).toEqual([]);
});

test('destroy in the middle of a bootstrap and of a change leaves no process and no record', async () => {
  const env = await environment();
  await env.writer.stop();
  await env.home.ok('enable-ha', '--detach');
  await env.home.ok('destroy-environment', 'demo', '--yes', '--force');
  expect(leftOf(env)).toEqual([]);
  await env.home.ok('bootstrap', 'local', 'other', '--detach');
  await env.home.ok('destroy-environment', 'other', '--yes', '--force');
  expect(leftOf(env)).toEqual([]);
  expect(await env.store.listEnvironments()).toEqual([]);
});

function leftOf(env: TestEnvironment) {
  return env.home.processes().filter(({ command }) => /quorated|agent\/main|mongod|controller/.test(command));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A login to the primary's mongod with that machine's own membership certificate, as somebody with a shell there has. */
async function directClient(env: TestEnvironment): Promise<MongoClient> {
  const { controllers, ha } = await env.status();
  const primary = controllers.find(({ machine }) => machine === ha.primary);
  if (!primary) throw new Error('no primary');
  const { diskOf } = await import('../support/disk.js');
  const { certificateKeyFile, caFile } = await diskOf(env, primary.instance);
  return await MongoClient.connect(`mongodb://${primary.mongo}/?directConnection=true&authMechanism=MONGODB-X509`, {
    tls: true,
    tlsCertificateKeyFile: certificateKeyFile,
    tlsCAFile: caFile,
  });
}
