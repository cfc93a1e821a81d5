import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Status } from '../../src/api/status.js';
import type { LocalInstance } from '../../src/cloud/local/group.js';
import { LocalCloud } from '../../src/cloud/local/local-cloud.js';
import { listProcesses } from '../../src/cloud/local/processes.js';
import { cloudContract } from '../contract/cloud-contract.js';
import { TestEnvironment } from '../support/environment.js';
import { findFaketime } from '../support/faketime.js';
import { until } from '../support/home.js';
import { kill } from '../support/kill.js';
import { devicesOf, Lab, Line, leftOf, whyNoNamespaces } from '../support/namespaces.js';

const reason = await whyNoNamespaces();
const skipped = reason === '' ? '' : ` (skipped: ${reason})`;
const { missing: noClock } = await findFaketime();

describe.skipIf(reason !== '')(`isolation namespace${skipped}`, () => {
  cloudContract('the local cloud with namespaces', async () => {
    const lab = await Lab.make();
    return { cloud: lab.cloud, userData: 'hello', console: /machine talks/, close: () => lab.close() };
  });

  let lab: Lab;
  beforeEach(async () => {
    lab = await Lab.make();
  });
  afterEach(async () => {
    await lab.close();
    expect(leftOf(lab.root)).toEqual([]);
  });

  const words = async (instance: LocalInstance) => (await lab.cloud.describe(instance.id))?.conditions;
  /** Whether a datagram from one machine gets to another. */
  const arrives = async (from: LocalInstance, to: LocalInstance, text: string) => {
    const [sender, receiver] = [await lab.talk(from), await lab.talk(to)];
    await sender.ask(`send ${to.address} ${text}`);
    // Whatever was sent before this came is there or lost: both go through one bridge.
    await receiver.ask('echo now');
    return until('the datagrams heard', async () => ({
      yes: (await receiver.ask('heard')).split(',').includes(`${from.address} ${text}`),
    })).then(({ yes }) => yes);
  };

  test('a machine has its own address, processes and files, and does not see its neighbours', async () => {
    const [one, other] = [await lab.start('0'), await lab.start('1')];
    expect(one.address).toMatch(/^10\.\d+\.\d+\.2$/);
    expect(other.address).toMatch(/^10\.\d+\.\d+\.3$/);
    expect([one.isolation, one.ports]).toEqual(['namespace', other.ports]);
    const line = await lab.talk(one);
    expect(Number(await line.ask('processes'))).toBeLessThan(10);
    expect(await line.ask(`exists ${lab.directory(one)}/metadata.json`)).toBe('true');
    expect(await line.ask(`exists ${lab.directory(other)}`)).toBe('false');
    const mark = `/etc/quorate-test-${one.id}`;
    expect(await line.ask(`write ${mark} 1`)).toBe('written');
    expect(readdirSync('/etc')).not.toContain(`quorate-test-${one.id}`);
    await lab.cloud.stop(one.id);
    await lab.cloud.startAgain(one.id);
    expect(await (await lab.talk(one)).ask(`exists ${mark}`)).toBe('true');
  });

  test('an address is never given again', async () => {
    const first = await lab.start('0');
    await lab.cloud.terminate(first.id);
    expect((await lab.start('1')).address).not.toBe(first.address);
  });

  test('a cut link drops packets without a reset; healed, what was under way arrives', async () => {
    const machine = await lab.start();
    const line = await lab.talk(machine);
    expect(await line.ask('echo before')).toBe('before');
    await lab.cloud.partition(machine.id);
    expect((await words(machine))?.cuts).toEqual([{ from: '*', direction: 'both' }]);
    line.say('echo meanwhile');
    await expect(Line.to(machine.address)).rejects.toThrow(/no answer/);
    expect([line.next(), line.ended]).toEqual([null, null]);
    await lab.cloud.heal(machine.id);
    await until('the answer that was held up', async () => line.next() === 'meanwhile');
    expect(line.ended).toBeNull();
    expect((await words(machine))?.cuts).toEqual([]);
  });

  test('a link is cut one way only, and between two machines only; healing the other one heals it too', async () => {
    const [deaf, mute, third] = [await lab.start('0'), await lab.start('1'), await lab.start('2')];
    await lab.cloud.partition(deaf.id, { from: [mute.id], direction: 'in' });
    expect(await arrives(mute, deaf, 'lost')).toBe(false);
    expect(await arrives(deaf, mute, 'heard')).toBe(true);
    expect(await arrives(third, deaf, 'third')).toBe(true);
    await lab.cloud.heal(mute.id);
    expect(await arrives(mute, deaf, 'again')).toBe(true);

    await lab.cloud.partition(deaf.id, { from: [mute.id], direction: 'out' });
    expect(await arrives(mute, deaf, 'in')).toBe(true);
    expect(await arrives(deaf, mute, 'out')).toBe(false);
    await expect(lab.cloud.partition(deaf.id, { from: ['i-00000000000000000'] })).rejects.toMatchObject({
      code: 'bad-peer',
    });
  });

  test('a cut outlives command and restart, and ends with the machine', async () => {
    const [machine, other] = [await lab.start('0'), await lab.start('1')];
    await lab.cloud.partition(machine.id, { from: [other.id] });
    await lab.cloud.stop(machine.id);
    await lab.cloud.startAgain(machine.id);
    expect(await arrives(machine, other, 'lost')).toBe(false);
    expect((await lab.cloud.terminate(machine.id)).conditions.cuts).toEqual([]);
    await expect(lab.cloud.partition(machine.id)).rejects.toMatchObject({ code: 'instance-terminated' });
  });

  test('a slow link is slow each way and keeps its connections; a lossy one loses', async () => {
    const machine = await lab.start();
    const line = await lab.talk(machine);
    await lab.cloud.degrade(machine.id, { delayMs: 150 });
    const began = performance.now();
    expect(await line.ask('echo slow')).toBe('slow');
    expect(performance.now() - began).toBeGreaterThan(290);
    await lab.cloud.degrade(machine.id, { lossPercent: 100 });
    line.say('echo meanwhile');
    await expect(Line.to(machine.address)).rejects.toThrow(/no answer/);
    expect(line.next()).toBeNull();
    await lab.cloud.heal(machine.id);
    await until('the answer that was held up', async () => line.next() === 'meanwhile');
    expect(devicesOf(machine)).toHaveLength(1);

    // It holds from boot to boot, and goes with the machine.
    await lab.cloud.degrade(machine.id, { delayMs: 150 });
    await lab.cloud.stop(machine.id);
    expect(devicesOf(machine)).toEqual([]);
    await lab.cloud.startAgain(machine.id);
    const again = await lab.talk(machine);
    const asked = performance.now();
    expect(await again.ask('echo slow')).toBe('slow');
    expect(performance.now() - asked).toBeGreaterThan(290);
    await lab.cloud.terminate(machine.id);
    expect(devicesOf(machine)).toEqual([]);
  });

  test('a limited disk keeps what is on it, gets full, and gets its space back', async () => {
    const machine = await lab.start();
    const file = `${lab.directory(machine)}/disk/data`;
    const ask = async (what: string) => (await lab.talk(machine)).ask(what);
    const restart = async () => {
      await lab.cloud.stop(machine.id);
      await lab.cloud.startAgain(machine.id);
    };
    expect(await ask(`write ${file} 1`)).toBe('written');
    await expect(lab.cloud.fillDisk(machine.id)).rejects.toMatchObject({ code: 'disk-not-limited' });
    await lab.cloud.limitDisk(machine.id, 64 * 2 ** 20);
    await restart();
    expect(await ask(`exists ${file}`)).toBe('true');
    expect(await ask(`write ${file}-large 100`)).toBe('ENOSPC');
    await lab.cloud.fillDisk(machine.id);
    expect(await ask(`write ${file}-small 1`)).toBe('ENOSPC');
    await restart();
    expect(await ask(`write ${file}-small 1`)).toBe('ENOSPC');
    await lab.cloud.fillDisk(machine.id, false);
    expect(await ask(`write ${file}-small 1`)).toBe('written');
    await lab.cloud.limitDisk(machine.id, null);
    await restart();
    expect(await ask(`write ${file}-large 100`)).toBe('written');
    for (const name of [file, `${file}-small`]) expect(await ask(`exists ${name}`)).toBe('true');
  });

  test('killing its leader, or its first process, ends all of a machine', async () => {
    const machine = await lab.start();
    const inside = async () => (await listProcesses()).filter(({ instance }) => instance === machine.id);
    const record = JSON.parse(await readFile(join(lab.directory(machine), 'record.json'), 'utf8'));
    kill(record.process.group);
    await until('the machine to be gone', async () => (await inside()).length === 0);
    expect(await lab.cloud.describe(machine.id)).toMatchObject({ state: 'stopped', cause: 'self' });
    await lab.cloud.startAgain(machine.id);
    await lab.talk(machine);
    const leader = JSON.parse(await readFile(join(lab.directory(machine), 'record.json'), 'utf8')).process.group;
    const first = (await inside()).find(({ pid, group }) => pid === group && pid !== leader);
    kill(first?.pid);
    await until('the machine to be gone', async () => (await inside()).length === 0);
  });

  test('a command killed at any moment of a start leaves one machine that the next start completes', async () => {
    for (const delay of [1, 30, 60, 100, 200]) {
      const tags = { environment: lab.environment, machine: String(delay), nonce: randomUUID() };
      const request = { tags, userData: 'hello', zone: 'a' };
      await lab.startElsewhere(request, delay);
      const instance = await lab.cloud.start(request);
      expect(await (await lab.talk(instance)).ask('echo there')).toBe('there');
      expect(devicesOf(instance)).toHaveLength(1);
      const members = (await listProcesses()).filter(
        ({ instance: id, pid, group }) => id === instance.id && pid === group,
      );
      // The leader, and the first process inside.
      expect(members).toHaveLength(2);
      await lab.cloud.terminate(instance.id);
      expect(devicesOf(instance)).toEqual([]);
    }
  });

  test('a machine that is paused keeps its connections', async () => {
    const machine = await lab.start();
    const line = await lab.talk(machine);
    expect((await lab.cloud.pause(machine.id)).state).toBe('paused');
    line.say('echo meanwhile');
    expect((await lab.cloud.resume(machine.id)).state).toBe('running');
    await until('the answer', async () => line.next() === 'meanwhile');
  });

  test.skipIf(noClock !== '')(
    `a clock that is off, from the next start on${noClock && ` (skipped: ${noClock})`}`,
    async () => {
      const machine = await lab.start();
      await lab.cloud.setClock(machine.id, 3_600_000);
      await lab.cloud.stop(machine.id);
      await lab.cloud.startAgain(machine.id);
      const ahead = Number(await (await lab.talk(machine)).ask('clock')) - Date.now();
      expect(Math.abs(ahead - 3_600_000)).toBeLessThan(60_000);
      await lab.cloud.setClock(machine.id, 0);
      await lab.cloud.stop(machine.id);
      await lab.cloud.startAgain(machine.id);
      expect(Math.abs(Number(await (await lab.talk(machine)).ask('clock')) - Date.now())).toBeLessThan(60_000);
    },
  );
});

describe.skipIf(reason !== '')(`an environment whose machines have namespaces${skipped}`, () => {
  let env: TestEnvironment | null = null;
  afterEach(async () => {
    await env?.close();
    env = null;
  });

  test('grows to three; links are cut, all and one way; a machine goes; nothing is lost and nothing left', async () => {
    // Cuts here last as long as they need to on a busy machine: nobody is to be replaced for it.
    env = await TestEnvironment.bootstrap(1, ['auto-replace=false'], 'namespace');
    await env.home.ok('enable-ha');
    const { ha, controllers } = await env.whole(3);
    expect(controllers.every(({ address }) => address.startsWith('10.'))).toBe(true);

    // The primary's link is cut: nothing is refused and nothing reset, it is only silent.
    const cut = ha.primary ?? '';
    await env.home.ok('cloud', 'partition', cut);
    expect(await env.home.ok('cloud', 'list')).toMatch(/cut off from everybody/);
    await env.statusWhen('another primary', (now) => now.ha.primary !== null && now.ha.primary !== cut);
    await env.writesGoOn();
    await env.statusWhen('two healthy voters', (now) => now.ha.healthyVoters === 2);
    await env.home.ok('cloud', 'heal', cut);
    await env.whole(3);
    await env.statusWhen('the cut one to follow', (now) => stateOf(now, cut) === 'SECONDARY');

    // One secondary does not hear the primary any more; the others do, so nobody else is elected for long.
    const primary = (await env.whole(3)).ha.primary ?? '';
    const deaf = controllers.map(({ machine }) => machine).find((machine) => machine !== primary) ?? '';
    await env.home.ok('cloud', 'partition', deaf, '--from', primary, '--one-way', 'in');
    await env.writesGoOn();
    await env.home.ok('cloud', 'heal', deaf);
    await env.whole(3);

    const gone = await env.instanceOf(deaf);
    await env.home.ok('cloud', 'terminate', deaf);
    expect(devicesOf({ id: gone })).toEqual([]);
    await env.writesGoOn();
    expect(await env.lost()).toEqual([]);

    const directory = env.home.dir;
    expect(leftOf(directory)).toHaveLength(1);
    await env.home.ok('destroy-environment', 'demo', '--yes');
    expect(leftOf(directory)).toEqual([]);
    await env.home.ok('engine', 'stop');
    await until('no process to be left', async () => env?.home.processes().length === 0);
  }, 600_000);
});

test('instances that share this machine’s network are not cut off: the way to those that can be is said', async () => {
  const root = await mkdtemp(join(tmpdir(), 'quorate-cloud-'));
  const cloud = new LocalCloud({ root, startCommand: ['/bin/sh', '-c', 'sleep 600'] });
  const environment = randomUUID();
  try {
    const tags = { environment, machine: '0', nonce: randomUUID() };
    const { id } = await cloud.start({ tags, userData: 'hello', zone: 'a' });
    const orders = [
      () => cloud.partition(id),
      () => cloud.heal(id),
      () => cloud.degrade(id, { delayMs: 50 }),
      () => cloud.setClock(id, 1000),
      () => cloud.limitDisk(id, 2 ** 26),
      () => cloud.fillDisk(id),
    ];
    for (const order of orders) {
      await expect(order()).rejects.toMatchObject({
        code: 'not-isolated',
        todo: expect.stringMatching(/local\/namespace/),
      });
    }
    await expect(cloud.partition('i-00000000000000000')).rejects.toMatchObject({ code: 'unknown-instance' });
  } finally {
    await cloud.removeEnvironment(environment);
    await rm(root, { recursive: true, force: true });
  }
});

const stateOf = ({ controllers }: Status, machine: string) =>
  controllers.find((each) => each.machine === machine)?.member?.state;
