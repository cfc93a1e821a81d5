import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Machines } from '../../src/api/machines.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';
import { whyNoNamespaces } from '../support/namespaces.js';

const reason = await whyNoNamespaces();
const skipped = reason === '' ? '' : ` (skipped: ${reason})`;

/** The disk of a workload machine is full, which takes a disk of its own. */
describe.skipIf(reason !== '')(`a machine whose disk is full${skipped}`, () => {
  let env: TestEnvironment;
  beforeAll(async () => {
    env = await TestEnvironment.bootstrap(1, [], 'namespace');
    await env.home.ok('add-machine');
    await started();
  }, 240_000);
  afterAll(() => env?.close(), 120_000);

  const one = async () => {
    const { machines } = (await env.client.request<Machines>('GET', '/v1/machines')).body;
    return machines.find(({ id }) => id === '1');
  };
  const started = () => until('machine 1 is started', async () => (await one())?.agent === 'started', 90);
  const console = async () => await env.cloud.consoleLog((await one())?.instance ?? '');
  const exec = (...command: string[]) => env.home.run('exec', '--machine', '1', '--', ...command);

  test('says so, stays connected, runs nothing that it could not write down, and goes on when there is room', async () => {
    await env.home.ok('cloud', 'limit-disk', '1', '64M');
    await env.home.ok('cloud', 'stop', '1');
    await env.home.ok('cloud', 'start', '1');
    const runs = await until('it to answer', async () => {
      const { code } = await exec('true');
      return code === 0 && (await console()).split('quorated runs as machine 1').length;
    });
    await env.home.ok('cloud', 'fill-disk', '1');

    // Something that it has to keep: what it was told last.
    await env.home.ok('config', 'suspect-after=700ms');
    await until('it to say that its disk is full', async () =>
      /could not be followed yet: .*the disk is full/.test(await console()),
    );
    const refused = await exec('touch', '/tmp/ran');
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toMatch(/disk is full|no space left/i);
    expect((await one())?.agent).toBe('started');

    await env.home.ok('cloud', 'free-disk', '1');
    await until('it to run commands again', async () => (await exec('test', '!', '-e', '/tmp/ran')).code === 0);
    // What it was told is kept now, and it was the same agent all the time.
    const conf = await until('its conf to say so', async () => {
      const { stdout } = await exec('cat $HOME/../agent.conf');
      return stdout.includes('"suspectAfterMs": 700') && stdout;
    });
    expect(conf).toContain('"machine": "1"');
    expect((await console()).split('quorated runs as machine 1').length).toBe(runs);
  });
});
