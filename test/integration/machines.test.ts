import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AddedMachines, Machine } from '../../src/api/machines.js';
import { ensureEngine } from '../../src/engine/engine.js';
import { connectTemporal } from '../../src/temporal/connect.js';
import { environmentKey, workflowIds } from '../../src/temporal/names.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';
import { eventsOverRuns } from '../support/temporal.js';

/** Machines that people ask for and take back, in an environment with one controller. The tests build on each other. */
let env: TestEnvironment;
beforeAll(async () => {
  env = await TestEnvironment.bootstrap(1, ['leftover-grace=1s', 'controller-constraints=mem=2G zone=a,b']);
}, 120_000);
afterAll(() => env?.close());

const machines = () => env.home.json<Machine[]>('machines');
const machine = async (id: string) => (await machines()).find((each) => each.id === id);
const machineWhen = (id: string, what: string, seen: (machine: Machine) => boolean, seconds = 60) =>
  until(
    `machine ${id} ${what}`,
    async () => {
      const found = await machine(id);
      return found !== undefined && seen(found) ? found : null;
    },
    seconds,
    200,
  );
/** What is told as wrong, and nothing else; a busy machine may tell of more for a moment. */
const problems = () => expect.poll(async () => (await env.status()).ha.problems, { timeout: 20_000, interval: 200 });
const isUp = ({ agent, instanceState }: Machine) => agent === 'started' && instanceState === 'running';
const gone = (id: string) =>
  until(`machine ${id} to be forgotten`, async () => (await machine(id)) === undefined, 60, 200);
const add = async (...args: string[]) => (await env.home.json<AddedMachines>('add-machine', ...args)).machines;
const instances = async () => {
  const uuid = (await env.status()).environment.uuid;
  return { uuid, all: await env.cloud.list(uuid) };
};
const stateOf = async (id: string) => (await instances()).all.find((each) => each.id === id)?.state;

test('two machines are started once each, in zones of their own, and their agents are heard', async () => {
  expect(await add('-n', '2')).toEqual(['1', '2']);
  const [one, two] = [await machineWhen('1', 'is up', isUp), await machineWhen('2', 'is up', isUp)];
  expect([one.zone, two.zone]).toEqual(['b', 'c']);
  expect(one).toMatchObject({ jobs: ['host-units'], life: 'alive', memberId: null, instanceType: 'local.small' });
  expect((await instances()).all).toHaveLength(3);
  const status = await env.status();
  expect(status.controllers.map((each) => each.machine)).toEqual(['0']);
  expect(status.machines).toMatchObject([
    { id: '1', agent: 'started', instance: one.instance, zone: 'b', ports: [] },
    { id: '2', agent: 'started', instance: two.instance, zone: 'c', ports: [] },
  ]);
  await problems().toEqual([]);
  expect(await env.home.ok('status')).toMatch(/^1 +127\.\S+ +b +started +alive +host-units/m);
});

test('one whose agent dies, that is started again and whose agent.conf is damaged says what is wrong and heals', async () => {
  const { instance = '' } = (await machine('1')) ?? {};
  const disk = join(env.store.dirs.localCloud, (await instances()).uuid, instance, 'disk');
  const [conf, own] = [join(disk, 'agent.conf'), join(disk, 'identity', 'agent.pem')];
  const answers = (what: string) =>
    until(`machine 1 to answer, ${what}`, async () => {
      const { code, stdout } = await env.home.run('exec', '--machine', '1', '--', 'echo', 'well');
      return code === 0 && stdout.includes('well');
    });
  const restarted = async (damage: () => Promise<void>) => {
    await env.home.ok('cloud', 'stop', '1');
    await damage();
    await env.home.ok('cloud', 'start', '1');
  };
  const says = async (words: string) => expect(await env.cloud.consoleLog(instance)).toContain(words);
  const told = async () => JSON.parse(await readFile(conf, 'utf8')) as { jobs: string[]; version: number };

  await restarted(() => writeFile(conf, '{"quorate": 1, "envi'));
  await answers('its conf healed');
  await says(`${conf} is damaged`);
  await says('It was restored from');

  // Both are lost: it has its certificate, and is told the rest.
  await restarted(async () => {
    await writeFile(conf, 'nothing');
    await writeFile(`${conf}.previous`, '');
  });
  await answers('its conf made anew');
  await says('It cannot be restored from');
  expect(await told()).toMatchObject({ jobs: ['host-units'], machine: '1' });

  // Its certificate too: nobody can know any more who it is, and its token has served.
  const kept = await readFile(own, 'utf8');
  await restarted(async () => {
    for (const file of [conf, `${conf}.previous`, own]) await rm(file);
  });
  await until('it to say what to do', async () =>
    (await env.cloud.consoleLog(instance)).includes('Terminate the instance'),
  );
  await restarted(() => writeFile(own, kept, { mode: 0o600 }));
  await answers('its certificate put back');
});

test('the same request is done once, at whichever controller it is sent again', async () => {
  const request = { body: { count: 1, constraints: { cores: 2 } }, idempotencyKey: randomUUID() };
  const first = await env.client.request<AddedMachines>('POST', '/v1/machines', request);
  const again = await env.client.request<AddedMachines>('POST', '/v1/machines', request);
  expect([first.body, again.body]).toEqual([{ machines: ['3'] }, { machines: ['3'] }]);
  expect(await machineWhen('3', 'is up', isUp)).toMatchObject({
    constraints: 'cores=2',
    instanceType: 'local.medium',
    zone: 'a',
  });
});

test.each([
  [['--constraints', 'cores=64 mem=1G'], 1, /meets cores=64 mem=1G\.\nNearest comes local\.xlarge \(8 cores, 16G/],
  [['--constraints', 'zone=z'], 1, /The cloud has no zone z\.\nIt has: a, b, c\./],
  [['--constraints', 'instance-type=local.small', 'mem=4G'], 1, /instance-type=local\.small and mem=4G contradict/],
  [['--constraints', 'cores=1', 'cores=2'], 2, /cores=1 and cores=2 contradict each other/],
  [['--constraints', 'colour=red'], 2, /no constraint 'colour'/],
  [['-n', '10000'], 2, /10000 machines are too many for one command: at most 500/],
  [['-n', '0'], 2, /0 machines cannot be added/],
])('add-machine %j is refused, and nothing is added', async (args, code, message) => {
  const before = (await machines()).length;
  const run = await env.home.run('add-machine', ...args);
  expect(run.stderr).toMatch(message);
  expect(run.code).toBe(code);
  expect(await machines()).toHaveLength(before);
});

test('controllers are what their constraints say, and what nobody can meet changes nothing', async () => {
  expect(await machine('0')).toMatchObject({ zone: 'a', constraints: 'mem=2G zone=a,b', instanceType: 'local.medium' });
  const planned = await env.home.ok('enable-ha', '--plan');
  expect(planned).toMatch(/start machines \d+ and \d+ +zones b and a\b/);
  expect(await env.home.ok('enable-ha', '--plan', '--constraints', 'zone=c')).toMatch(
    /start machines \d+ and \d+ +zone c\b/,
  );
  const refused = await env.home.run('enable-ha', '--constraints', 'cores=64');
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringMatching(/meets cores=64\.\nNearest comes local\.xlarge/),
  ]);
  const setting = await env.home.run('config', 'controller-constraints=zone=z');
  expect([setting.code, setting.stderr]).toEqual([1, expect.stringMatching(/The cloud has no zone z/)]);
  expect(await env.home.ok('config', 'controller-constraints')).toBe('mem=2G zone=a,b\n');
  const bootstrap = await env.home.run('bootstrap', 'local', 'other', '--constraints', 'mem=1T');
  expect([bootstrap.code, bootstrap.stderr]).toEqual([2, expect.stringMatching(/meets mem=1024G\.\nNearest comes/)]);
  expect((await env.home.run('status', '-e', 'other')).stderr).toMatch(/no environment 'other'/);
  expect((await env.status()).controllers).toHaveLength(1);
});

test('what is no workload machine is not removed, and it is said what does that', async () => {
  const controller = await env.home.run('remove-machine', '0', '--force');
  expect([controller.code, controller.stderr]).toEqual([1, expect.stringMatching(/only controller.*\n.*enable-ha/)]);
  const unknown = await env.home.run('remove-machine', '99');
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringMatching(/There is no machine 99\.\n.*machines/)]);
  const retry = await env.home.run('retry-provisioning', '1');
  expect([retry.code, retry.stderr]).toEqual([1, expect.stringMatching(/nothing to try again/)]);
  expect((await machines()).every(({ life }) => life === 'alive')).toBe(true);
});

test('a zone without room is left for another one', async () => {
  expect(await env.home.ok('cloud', 'fill-zone', 'b')).toBe('zones without room: b\n');
  const [id = ''] = await add();
  // Two are in a, one in b and one in c: b would be next, then c.
  expect(await machineWhen(id, 'is up', isUp)).toMatchObject({ zone: 'c', provisioningError: '' });
});

test('where there is no choice the reason is told, and a retry ends the pause', async () => {
  const [id = ''] = await add('--constraints', 'zone=b');
  const failed = await machineWhen(id, 'to have failed', ({ provisioningError }) => provisioningError !== '');
  expect(failed).toMatchObject({ provisioningError: 'No room in zone b.', instance: '', agent: 'pending' });
  await problems().toEqual([
    `The instance of machine ${id} could not be started: No room in zone b. It is tried again by itself, or at once with: quorate retry-provisioning ${id}.`,
  ]);
  // By now the pause is as long as all attempts before took together.
  await until('four attempts', async () => (await attempts(id)) >= 4, 60, 500);
  await env.home.ok('cloud', 'empty-zone', 'b');
  const before = await attempts(id);
  const began = performance.now();
  await env.home.ok('retry-provisioning', id);
  await machineWhen(id, 'to have its instance', ({ instance }) => instance !== '');
  console.log(`started ${Math.round(performance.now() - began)} ms after the retry`);
  expect(await attempts(id)).toBe(before + 1);
  expect(await machineWhen(id, 'is up', isUp)).toMatchObject({ zone: 'b', provisioningError: '' });
});

/** How often its instance was asked for, by the provisioner's own histories. */
async function attempts(id: string): Promise<number> {
  const { connection, uiUrl } = await ensureEngine(env.store.dirs);
  const temporal = await connectTemporal({ target: connection, uiUrl });
  try {
    const { name, uuid } = (await env.status()).environment;
    const workflowId = workflowIds.singleton(environmentKey(name, uuid), 'provisioner');
    const events = await eventsOverRuns(temporal.client, workflowId);
    return events.filter(({ activityTaskScheduledEventAttributes: scheduled }) => {
      const [input] = scheduled?.input?.payloads ?? [];
      const asked = scheduled?.activityType?.name === 'startInstance' && input?.data;
      return asked && JSON.parse(Buffer.from(asked).toString()).machine === id;
    }).length;
  } finally {
    await temporal.connection.close();
  }
}

test('a machine that is removed finishes, then its instance is ended and it is forgotten', async () => {
  const { instance = '' } = (await machine('1')) ?? {};
  expect(await env.home.json('remove-machine', '1')).toEqual({ machine: '1', life: 'dying', agent: 'started' });
  await gone('1');
  expect(await stateOf(instance)).toBe('terminated');
  expect(await env.cloud.consoleLog(instance)).toContain('Machine 1 is to be removed, and has finished.');
});

test('one whose agent is silent waits, and says so, until it is forced', async () => {
  const { instance = '' } = (await machine('2')) ?? {};
  await env.cloud.pause(instance);
  await machineWhen('2', 'is silent', ({ agent }) => agent === 'down');
  expect(await env.home.ok('remove-machine', '2')).toMatch(/its agent is silent.*remove-machine 2 --force/);
  expect((await env.home.run('remove-machine', '2')).stderr).toMatch(/is dying already.*\n.*--force/);
  await until('that to be told', async () => {
    const { ha } = await env.status();
    return ha.problems.some((problem) => /^Machine 2 is to be removed, and its agent is silent/.test(problem));
  });
  expect(await env.home.ok('remove-machine', '2', '--force')).toMatch(/is removed/);
  await gone('2');
  expect(await stateOf(instance)).toBe('terminated');
});

test('an instance that ends by itself is told, and not replaced', async () => {
  const { instance = '' } = (await machine('3')) ?? {};
  await env.home.ok('cloud', 'terminate', '3');
  const after = await machineWhen('3', 'is known to be off', ({ instanceState }) => instanceState === 'terminated');
  expect(after).toMatchObject({ life: 'alive', instance });
  await problems().toEqual([
    'The instance of machine 3 is terminated, and is not replaced by itself: quorate remove-machine 3, and another one with: quorate add-machine.',
  ]);
  expect((await env.home.run('retry-provisioning', '3')).stderr).toMatch(/has its instance.*\n.*never comes back/);
  await env.home.ok('remove-machine', '3');
  await gone('3');
  await problems().toEqual([]);
});

test('an instance that belongs to no machine is ended after its grace; one that documents may lack is left alone', async () => {
  const { uuid } = await instances();
  const start = (id: string) =>
    env.cloud.start({ tags: { environment: uuid, machine: id, nonce: randomUUID() }, userData: '{}', zone: 'a' });
  // Machine 1 was forgotten; 9999 was never given out.
  const [leftover, strange] = [await start('1'), await start('9999')];
  await until('the leftover to be ended', async () => (await stateOf(leftover.id)) === 'terminated', 60, 200);
  expect(await stateOf(strange.id)).not.toBe('terminated');
  await env.cloud.terminate(strange.id);
  expect((await machines()).map(({ life }) => life)).toEqual(['alive', 'alive', 'alive']);
});

test('nothing that was acknowledged is lost', async () => {
  expect(await env.lost()).toEqual([]);
});
