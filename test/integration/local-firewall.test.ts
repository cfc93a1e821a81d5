import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LocalInstance } from '../../src/cloud/local/group.js';
import { LocalCloud } from '../../src/cloud/local/local-cloud.js';
import { type PortRule, parsePorts } from '../../src/machines/ports.js';
import { packageRoot } from '../../src/package.js';
import { processesOf, until } from '../support/home.js';
import { kill } from '../support/kill.js';
import { whyNoNamespaces } from '../support/namespaces.js';
import { datagramOver, lineOver } from '../support/wire.js';

/** What the local cloud lets in from outside, on real instances that echo on ports 18080, 18081 and 18090. */
const noNamespaces = await whyNoNamespaces();

const rule = (ports: string, ...cidrs: string[]): PortRule => ({
  ...parsePorts(ports),
  cidrs: cidrs.length > 0 ? cidrs : ['0.0.0.0/0'],
});

describe.each([
  { addressing: 'loopback', skipped: '' },
  { addressing: 'namespace', skipped: noNamespaces },
] as const)('the firewall of the local cloud, addressing $addressing', ({ addressing, skipped }) => {
  if (skipped !== '') {
    test.skip(`not here: ${skipped}`);
    return;
  }
  const environment = randomUUID();
  let root = '';
  const cloud = () => {
    const script = join(packageRoot(), 'test/support/echoing-machine.mjs');
    const startCommand = ['/bin/sh', join(packageRoot(), 'bin/quorated-init'), process.execPath, script];
    return new LocalCloud({ root: join(root, 'local'), startCommand, addressing });
  };
  const start = async (machine = '3') => {
    const tags = { environment, machine, nonce: randomUUID() };
    const instance = await cloud().start({ tags, userData: '{}', zone: 'a' });
    await until('the machine to echo', async () => (await cloud().consoleLog(instance.id)).includes('machine echoes'));
    return instance;
  };
  const set = async ({ id }: LocalInstance, version: number, ...rules: PortRule[]) =>
    await cloud().firewall.set({ instance: id, version, rules });
  const gateways = () => processesOf(root).filter(({ command }) => command.includes('gateway.js'));

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'quorate-firewall-'));
  });
  afterEach(async () => {
    await cloud().removeEnvironment(environment);
    expect(gateways()).toEqual([]);
    await rm(root, { recursive: true, force: true });
  });

  test('what is opened is let in, over TCP and UDP, and nothing else; closed again it is refused', async () => {
    const machine = await start();
    const { address, failures } = await set(machine, 1, rule('18080'), rule('18081/udp'));
    expect(failures).toEqual([]);
    expect(address).toMatch(/^127\.255\./);
    expect(await lineOver(address, 18080, 'hello')).toBe('hello');
    expect(await datagramOver(address, 18081, 'hello')).toBe('hello');
    expect(await lineOver(address, 18081, 'hello')).toBe('refused');
    expect(await datagramOver(address, 18080, 'hello')).not.toBe('hello');
    expect(await cloud().firewall.open(environment)).toEqual([
      { instance: machine.id, version: 1, rules: [rule('18080'), rule('18081/udp')] },
    ]);
    expect((await set(machine, 2, rule('18090'))).address).toBe(address);
    expect(await lineOver(address, 18080, 'hello')).toBe('refused');
    expect(await lineOver(address, 18090, 'again')).toBe('again');
    await set(machine, 3);
    expect(await lineOver(address, 18090, 'hello')).toBe('refused');
    expect(await cloud().firewall.open(environment)).toEqual([]);
  });

  test('a range is open as a whole, and a connection is cut with its port', async () => {
    const machine = await start();
    const { address } = await set(machine, 1, rule('18080-18090'));
    expect(await lineOver(address, 18081, 'one')).toBe('one');
    // Nothing listens on that one.
    expect(await lineOver(address, 18085, 'hello')).toBe('reset');
    const socket = connect(18090, address);
    const ended = new Promise((resolve) => socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code)));
    socket.write('hello');
    expect(await new Promise((resolve) => socket.once('data', (data) => resolve(String(data))))).toBe('hello');
    await set(machine, 2, rule('18080'));
    expect(await ended).toBe('ECONNRESET');
  });

  test('only who may come is let in, and that can be changed', async () => {
    const machine = await start();
    const { address } = await set(
      machine,
      1,
      rule('18080', '127.9.0.0/16', '2001:db8::/32'),
      rule('18081/udp', '127.9.0.0/16'),
    );
    const [friend, stranger] = [{ localAddress: '127.9.1.1' }, { localAddress: '127.8.1.1' }];
    expect(await lineOver(address, 18080, 'hello', friend)).toBe('hello');
    expect(await lineOver(address, 18080, 'hello', stranger)).toBe('reset');
    expect(await datagramOver(address, 18081, 'hello', friend)).toBe('hello');
    expect(await datagramOver(address, 18081, 'hello', stranger)).toBe('nothing');
    await set(machine, 2, rule('18080', '127.8.0.0/16'));
    expect(await lineOver(address, 18080, 'hello', friend)).toBe('reset');
    expect(await lineOver(address, 18080, 'hello', stranger)).toBe('hello');
  });

  test('an older version that comes late changes nothing', async () => {
    const machine = await start();
    const { address } = await set(machine, 7, rule('18080'));
    await set(machine, 6, rule('18081'));
    expect(await lineOver(address, 18080, 'hello')).toBe('hello');
    expect(await lineOver(address, 18081, 'hello')).toBe('refused');
  });

  test('two machines have the same port open, each at its own address', async () => {
    const [one, other] = [await start('3'), await start('4')];
    const [first, second] = await Promise.all([set(one, 1, rule('18080')), set(other, 1, rule('18080'))]);
    expect(first.address).not.toBe(second.address);
    expect(await lineOver(first.address, 18080, 'hello')).toBe('hello');
    expect(await lineOver(second.address, 18080, 'hello')).toBe('hello');
    expect(gateways()).toHaveLength(1);
    await set(one, 2);
    expect(await lineOver(first.address, 18080, 'hello')).toBe('refused');
    expect(await lineOver(second.address, 18080, 'hello')).toBe('hello');
  });

  test('a gateway that is killed lets nobody in; set again, all is as before', async () => {
    const machine = await start();
    const { address } = await set(machine, 1, rule('18080'));
    kill(gateways()[0]?.pid);
    await until('the port to be closed', async () => (await lineOver(address, 18080, 'hello')) === 'refused');
    expect(await cloud().firewall.open(environment)).toEqual([]);
    expect(await set(machine, 1, rule('18080'))).toEqual({ address, failures: [] });
    expect(await lineOver(address, 18080, 'hello')).toBe('hello');
  });

  test('one that stands still is replaced', async () => {
    const machine = await start();
    const { address } = await set(machine, 1, rule('18080'));
    const [{ pid } = { pid: 0 }] = gateways();
    process.kill(pid, 'SIGSTOP');
    expect(await set(machine, 2, rule('18080'), rule('18081'))).toEqual({ address, failures: [] });
    expect(await lineOver(address, 18081, 'hello')).toBe('hello');
    expect(gateways().map((each) => each.pid)).not.toContain(pid);
  });

  test('a port that cannot be had is told, and the others are open all the same', async () => {
    const machine = await start();
    const { address } = await set(machine, 1, rule('18080'));
    const other = createServer().listen(18081, address);
    await new Promise((resolve) => other.once('listening', resolve));
    try {
      const { failures } = await set(machine, 2, rule('18080'), rule('18081'), rule('18090'));
      expect(failures).toEqual([
        `18081/tcp cannot be opened: something else listens there (${address}:18081, EADDRINUSE)`,
      ]);
      expect((await cloud().firewall.open(environment))[0]?.rules).toEqual([rule('18080'), rule('18090')]);
    } finally {
      other.close();
    }
    expect((await set(machine, 2, rule('18080'), rule('18081'), rule('18090'))).failures).toEqual([]);
    expect(await lineOver(address, 18081, 'hello')).toBe('hello');
  });

  test('a machine that is off is not reached, keeps its ports, and is reached again; terminated it has none', async () => {
    const machine = await start();
    const { address } = await set(machine, 1, rule('18080'));
    await cloud().stop(machine.id, { graceMs: 5000 });
    expect(await lineOver(address, 18080, 'hello')).not.toBe('hello');
    await cloud().startAgain(machine.id);
    await until('the machine to be reached', async () => (await lineOver(address, 18080, 'hello')) === 'hello');
    await cloud().terminate(machine.id);
    expect(await lineOver(address, 18080, 'hello')).toBe('refused');
    expect(await set(machine, 2, rule('18080'))).toEqual({ address: '', failures: [] });
    expect(await cloud().firewall.open(environment)).toEqual([]);
    await until('the gateway with nothing to do to end', async () => gateways().length === 0);
  });

  test('the gateway ends by itself when its environment is gone', async () => {
    const machine = await start();
    await set(machine, 1, rule('18080'));
    const directory = join(root, 'local', environment);
    expect(readFileSync(join(directory, 'gateway.json'), 'utf8')).toContain('group');
    await cloud().terminate((await start('4')).id);
    await rm(join(directory, 'gateway.json'));
    await rm(join(directory, 'ingress.sock'));
    await until('the gateway to end', async () => gateways().length === 0);
  });
});
