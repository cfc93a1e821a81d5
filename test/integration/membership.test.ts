import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { order } from '../../src/membership/succession.js';
import { TestEnvironment } from '../support/environment.js';
import { Traces } from '../support/traces.js';

/** One environment, changed again and again under writes; each test begins where the last one ended. */
describe('1 → 3 → 5 → 3 → 1 under writes', () => {
  let env: TestEnvironment;
  beforeAll(async () => {
    // Whoever is stopped here starts again: nobody is to be replaced meanwhile.
    env = await TestEnvironment.bootstrap(1, ['stopped-grace=1h', 'grace=1h']);
  });
  afterAll(async () => {
    await env?.close();
  });

  /** A change during which writes are acknowledged. */
  const underWrites = async (...command: string[]): Promise<string> => {
    const before = env.writer.acknowledged;
    const out = await env.home.ok(...command);
    expect(env.writer.acknowledged).toBeGreaterThan(before);
    return out;
  };

  test('starts with one controller', async () => {
    const status = await env.status();
    expect(status.environment.phase).toBe('default');
    expect(status.ha).toMatchObject({ desired: 1, voters: 1, healthyVoters: 1, faultTolerance: 0, primary: '0' });
    expect(status.controllers.map(({ machine, agent }) => [machine, agent])).toEqual([['0', 'started']]);
  });

  test('--plan says what would be done and does nothing', async () => {
    const plan = await env.home.ok('enable-ha', '-n', '3', '--plan');
    expect(plan).toMatch(/demo: 1 controller .+ 3\. Nothing is done\./);
    expect(plan).toMatch(/grant a vote to machine 1/);
    expect(plan).toMatch(/2 instances more/);
    expect((await env.status()).controllers).toHaveLength(1);
    expect(await env.home.json('changes')).toHaveLength(1);
  });

  test('three controllers vote after enable-ha', async () => {
    const out = await underWrites('enable-ha');
    expect(out).toMatch(/maintaining machines: 0\nadding machines: 1, 2/);
    const status = await env.whole(3);
    expect(status.environment.phase).toBe('ha');
    expect(status.ha.faultTolerance).toBe(1);
    expect(status.controllers.every(({ agent, member }) => agent === 'started' && member?.vote)).toBe(true);
  });

  test('the same number again is refused, nothing changes', async () => {
    const { code, stderr } = await env.home.run('enable-ha', '-n', '3');
    expect(code).toBe(1);
    expect(stderr).toMatch(/demo has 3 controllers, all of them well, already; nothing was changed/);
    expect((await env.status()).controllers).toHaveLength(3);
  });

  test('a machine that is a controller already is no target', async () => {
    const { code, stderr } = await env.home.run('enable-ha', '-n', '5', '--to', '1');
    expect(code).toBe(2);
    expect(stderr).toMatch(/Machine 1 is a controller already/);
  });

  test('of five, the primary and the next in succession die together', async () => {
    await underWrites('enable-ha', '-n', '5');
    const { ha, controllers } = await env.whole(5, 120);
    const voters = controllers.flatMap(({ machine, zone, member }) =>
      member ? [{ machine, zone, id: member.id }] : [],
    );
    const members = voters.map(({ id, zone }) => ({ id, zone, votes: 1, priority: 1 }));
    const primary = voters.find(({ machine }) => machine === ha.primary)?.id ?? null;
    const [first] = order({ primary, members });
    const next = voters.find(({ id }) => id === first)?.machine ?? '';
    console.log(`the primary is machine ${ha.primary}, the next in succession machine ${next}`);
    const instances = await Promise.all([ha.primary ?? '', next].map((machine) => env.instanceOf(machine)));
    await Promise.all(instances.map((instance) => env.cloud.powerOff(instance)));
    await env.statusWhen('another primary', (status) => status.ha.primary !== null && status.ha.primary !== ha.primary);
    await env.writesGoOn();
    await Promise.all(instances.map((instance) => env.cloud.startAgain(instance)));
    await env.whole(5, 120);
  });

  test('five, then three again', async () => {
    await underWrites('enable-ha', '-n', '3');
    const status = await env.whole(3);
    expect(status.controllers).toHaveLength(3);
  });

  test('disable-ha keeps the one that is named, although it is not the primary', async () => {
    const { ha, controllers } = await env.status();
    const kept = controllers.find(({ machine }) => machine !== ha.primary)?.machine ?? '';
    const stranger = await env.home.run('disable-ha', '--keep', '77');
    expect(stranger.code).toBe(2);
    await underWrites('disable-ha', '--keep', kept);
    const status = await env.whole(1);
    expect(status.environment.phase).toBe('default');
    expect(status.ha.primary).toBe(kept);
    const instances = await env.home.json<{ state: string }[]>('cloud', 'list');
    expect(instances.filter(({ state }) => state === 'running')).toHaveLength(1);
  });

  test('disable-ha at one is refused', async () => {
    const { code, stderr } = await env.home.run('disable-ha');
    expect(code).toBe(1);
    expect(stderr).toMatch(/one controller already/);
  });

  test('every change has its story', async () => {
    const changes = await env.home.json<{ id: string; kind: string; state: string }[]>('changes');
    const kinds = changes.map(({ kind, state }) => `${kind} ${state}`).reverse();
    expect(kinds).toEqual(['bootstrap done', 'enable-ha done', 'enable-ha done', 'enable-ha done', 'disable-ha done']);
    const story = await env.home.ok('show-change', changes[0]?.id ?? '');
    expect(story).toMatch(/disable-ha {3}done/);
  });

  test('no acknowledged write is lost, and none was answered with an error', async () => {
    expect(await env.lost()).toEqual([]);
    expect(env.writer.errors).toEqual([]);
  });

  test('destroy leaves nothing at all: no process, record, file, listener or workflow', async () => {
    const traces = await Traces.of(env.store, 'demo');
    await env.home.ok('destroy-environment', 'demo', '--yes');
    expect(await traces.left()).toEqual([]);
    expect(await env.store.listEnvironments()).toEqual([]);
  });
});
