import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestEnvironment } from '../support/environment.js';

/** What a person does to an environment of one from the control panel, as it is typed. */
let env: TestEnvironment;
beforeAll(async () => {
  env = await TestEnvironment.bootstrap();
}, 120_000);
afterAll(() => env?.close());

/** States of the instances, as `quorate cloud list` shows them. */
const states = async () => (await env.home.json<{ state: string }[]>('cloud', 'list')).map(({ state }) => state);

test('pause freezes a machine, resume lets it go on', async () => {
  const id = await env.instanceOf('0');
  expect(await env.home.ok('cloud', 'pause', '0')).toBe(`machine 0 (${id}) is paused\n`);
  expect(await states()).toEqual(['paused']);
  expect(await env.home.ok('cloud', 'resume', '0')).toBe(`machine 0 (${id}) is running\n`);
  expect(await states()).toEqual(['running']);
  await env.whole(1);
  await env.writesGoOn();
});

test('stop shuts a machine down, start starts it with its disk', async () => {
  const id = await env.instanceOf('0');
  expect(await env.home.ok('cloud', 'stop', id)).toBe(`machine 0 (${id}) is stopped\n`);
  expect(await states()).toEqual(['stopped']);
  const paused = await env.home.run('cloud', 'pause', '0');
  expect(paused.code).toBe(1);
  expect(paused.stderr).toBe(
    `quorate: instance ${id} is stopped\nonly an instance that runs can be paused and resumed\n`,
  );
  expect(await env.home.ok('cloud', 'start', '0')).toBe(`machine 0 (${id}) is running\n`);
  expect(await states()).toEqual(['running']);
  await env.whole(1);
  await env.writesGoOn();
});

test.each(['stop', 'start', 'terminate', 'pause', 'resume'])(
  'cloud %s of an instance that is not there is refused',
  async (act) => {
    const { code, stdout, stderr } = await env.home.run('cloud', act, '9');
    expect(stderr).toBe(`quorate: demo has no instance '9'.\nThere are: 0 (${await env.instanceOf('0')}).\n`);
    expect(stdout).toBe('');
    expect(code).toBe(2);
    expect(await states()).toEqual(['running']);
  },
);

test('an environment of a name that exists is not bootstrapped, and the one that has it stays as it is', async () => {
  const before = await env.store.readEnvironment('demo');
  const { code, stdout, stderr } = await env.home.run('bootstrap', 'local', 'demo');
  expect(stderr).toBe(
    "quorate: there is an environment 'demo' already.\n" +
      'Use another name, look at it with: quorate status -e demo, or end it with: quorate destroy-environment demo\n',
  );
  expect(stdout).toBe('');
  expect(code).toBe(2);
  expect((await env.store.readEnvironment('demo'))?.uuid).toBe(before?.uuid);
  expect(await states()).toEqual(['running']);
  await env.writesGoOn();
});

test('no acknowledged write is lost', async () => {
  expect(await env.lost()).toEqual([]);
});
