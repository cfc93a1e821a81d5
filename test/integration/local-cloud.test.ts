import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StartRequest } from '../../src/cloud/cloud.js';
import { LocalCloud, type LocalCloudOptions } from '../../src/cloud/local/local-cloud.js';
import { listProcesses } from '../../src/cloud/local/processes.js';
import { builtFile } from '../../src/package.js';
import { cloudContract } from '../contract/cloud-contract.js';

/** Stands in for start script and agent: says what it was given, has a child, goes when asked. */
const POLITE = `
echo "machine $QUORATE_INSTANCE has $(cat user-data.json)"
sleep 600 & child=$!
trap 'echo asked to stop; kill $child; exit 0' TERM
wait $child`;
/** Does not hear, and has one child in its group and one in a session of its own. */
const DEAF = `trap '' TERM
sleep 600 &
setsid sleep 601 &
while :; do sleep 1; done`;

const sh = (script: string) => ['/bin/sh', '-c', script];

/** A root of its own; whatever was started there is gone at the end. */
class Ground {
  readonly environment = randomUUID();

  private constructor(readonly root: string) {}

  static async make(): Promise<Ground> {
    return new Ground(await mkdtemp(join(tmpdir(), 'quorate-cloud-')));
  }

  cloud(script = POLITE, options: Partial<LocalCloudOptions> = {}): LocalCloud {
    return new LocalCloud({ root: join(this.root, 'local'), startCommand: sh(script), ...options });
  }

  request(machine = '0', nonce: string = randomUUID()): StartRequest {
    return { tags: { environment: this.environment, machine, nonce }, userData: `data of ${machine}`, zone: 'a' };
  }

  file(id: string, name: string): string {
    return join(this.root, 'local', this.environment, id, name);
  }

  async record(id: string): Promise<Record<string, unknown> & { process: { group: number; startedAt: number } }> {
    return JSON.parse(await readFile(this.file(id, 'record.json'), 'utf8'));
  }

  async edit(id: string, change: Record<string, unknown>): Promise<void> {
    await writeFile(this.file(id, 'record.json'), JSON.stringify({ ...(await this.record(id)), ...change }));
  }

  async close(): Promise<void> {
    const cloud = this.cloud();
    for (const environment of await cloud.environments()) await cloud.removeEnvironment(environment);
    await rm(this.root, { recursive: true, force: true });
  }
}

async function processesOf(id: string) {
  return (await listProcesses()).filter((each) => each.instance === id);
}

async function until(what: string, isSo: () => Promise<boolean>, seconds = 15): Promise<void> {
  await expect.poll(isSo, { timeout: seconds * 1000, interval: 20, message: what }).toBe(true);
}

cloudContract('the local cloud', async () => {
  const ground = await Ground.make();
  return { cloud: ground.cloud(), userData: 'hello', console: /machine i-\S+ has hello/, close: () => ground.close() };
});

describe('the local cloud', () => {
  let ground: Ground;
  const others: ChildProcess[] = [];
  const servers: Server[] = [];

  beforeEach(async () => {
    ground = await Ground.make();
  });

  afterEach(async () => {
    for (const each of others.splice(0)) each.kill('SIGKILL');
    for (const each of servers.splice(0)) each.close();
    await ground.close();
  });

  /** A process that starts the request through the built package, as another command would. */
  function startElsewhere(request: StartRequest, killAfterMs?: number): Promise<string> {
    const module = builtFile('src', 'cloud', 'local', 'local-cloud.js');
    const program = `
      const { LocalCloud } = await import(${JSON.stringify(module)});
      const cloud = new LocalCloud(${JSON.stringify({ root: join(ground.root, 'local'), startCommand: sh(POLITE) })});
      console.error('begins');
      console.log((await cloud.start(${JSON.stringify(request)})).id);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'pipe' });
    others.push(child);
    child.stderr.once('data', () => {
      if (killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    });
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    return new Promise((resolve) => child.once('close', () => resolve(printed.trim())));
  }

  test('gives the machine its files, its mark and little else', async () => {
    const cloud = ground.cloud('env; sleep 600', { env: { QUORATE_MONGOD: '/x/mongod' } });
    const { id, address, ports } = await cloud.start(ground.request());
    expect((await stat(ground.file(id, 'user-data.json'))).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(ground.file(id, 'metadata.json'), 'utf8'))).toMatchObject({
      instance: id,
      address,
      ports,
      zone: 'a',
    });
    await until('it printed its environment', async () =>
      (await cloud.consoleLog(id)).includes('QUORATE_INSTANCE_DIR'),
    );
    const names = (await cloud.consoleLog(id)).split('\n').map((line) => line.split('=')[0]);
    expect(names).toEqual(
      expect.arrayContaining(['PATH', 'QUORATE_INSTANCE', 'QUORATE_INSTANCE_DIR', 'QUORATE_MONGOD']),
    );
    expect(names).not.toContain('VITEST');
  });

  test('is the same to whoever opens the root later', async () => {
    const { id } = await ground.cloud().start(ground.request());
    expect((await ground.cloud('exit 1').describe(id))?.state).toBe('running');
    expect((await ground.cloud('exit 1').stop(id)).state).toBe('stopped');
    expect(await processesOf(id)).toEqual([]);
    expect((await ground.cloud().describe(id))?.state).toBe('stopped');
  });

  test('two processes that start one nonce at once start one instance', async () => {
    const request = ground.request();
    const [a, b, c] = await Promise.all([
      startElsewhere(request),
      startElsewhere(request),
      ground.cloud().start(request),
    ]);
    expect([a, b]).toEqual([c.id, c.id]);
    const leaders = (await processesOf(c.id)).filter((each) => each.pid === each.group);
    expect(leaders).toHaveLength(1);
  });

  test('a command killed at any moment of a start leaves one that the next start completes', async () => {
    for (const delay of [5, 15, 30]) {
      const request = ground.request(String(delay));
      await startElsewhere(request, delay);
      const { id, state } = await ground.cloud().start(request);
      expect(state).toBe('running');
      expect((await processesOf(id)).filter((each) => each.pid === each.group)).toHaveLength(1);
    }
    expect(await ground.cloud().problems(ground.environment)).toEqual([]);
  });

  test('a start that failed is pending, and the next start of that nonce completes it at the same address', async () => {
    const request = ground.request();
    const broken = ground.cloud('', { startCommand: ['/no/such/program'] });
    await expect(broken.start(request)).rejects.toMatchObject({ code: 'start-failed' });
    const pending = await broken.findByNonce(ground.environment, request.tags.nonce);
    expect(pending?.state).toBe('pending');
    expect(await ground.cloud().start(request)).toMatchObject({
      id: pending?.id,
      address: pending?.address,
      state: 'running',
    });
  });

  test('a leader that was started and not recorded is taken over', async () => {
    const request = ground.request();
    const { id } = await ground.cloud().start(request);
    const { process: leader } = await ground.record(id);
    await ground.edit(id, { process: null });
    expect((await ground.cloud().describe(id))?.state).toBe('running');
    await ground.cloud().start(request);
    expect((await ground.record(id)).process).toEqual(leader);
  });

  test('a record that is lost or half written is rebuilt from the metadata', async () => {
    const request = ground.request();
    const { id, address } = await ground.cloud().start(request);
    for (const damage of [
      () => rm(ground.file(id, 'record.json')),
      () => writeFile(ground.file(id, 'record.json'), '{"vers'),
    ]) {
      await damage();
      expect(await ground.cloud().list(ground.environment)).toMatchObject([{ id, address, state: 'running' }]);
      expect((await ground.cloud().problems(ground.environment)).join()).toContain('record.json');
      expect(await ground.cloud().start(request)).toMatchObject({ id, address, state: 'running' });
      expect(await ground.cloud().problems(ground.environment)).toEqual([]);
    }
    await ground.cloud().terminate(id);
    await rm(ground.file(id, 'record.json'));
    expect(await ground.cloud().start(request)).toMatchObject({ id, state: 'terminated' });
  });

  test('without record and metadata an instance is reported, and repaired by its start or ended by its ID', async () => {
    const [kept, ended] = [ground.request('1'), ground.request('2')];
    const ids: string[] = [];
    for (const request of [kept, ended]) {
      const { id } = await ground.cloud().start(request);
      ids.push(id);
      await writeFile(ground.file(id, 'disk/precious'), 'x');
      await writeFile(ground.file(id, 'record.json'), '');
      await writeFile(ground.file(id, 'metadata.json'), '[]');
    }
    const [a = '', b = ''] = ids;
    expect(await ground.cloud().list(ground.environment)).toEqual([]);
    expect(await ground.cloud().problems(ground.environment)).toHaveLength(2);
    await expect(ground.cloud().describe(a)).rejects.toMatchObject({ code: 'damaged-instance' });
    expect(await ground.cloud().findByNonce(ground.environment, kept.tags.nonce)).toBeNull();

    const before = await processesOf(a);
    expect(await ground.cloud().start(kept)).toMatchObject({ id: a, state: 'running', tags: kept.tags });
    const after = (await processesOf(a)).map((each) => each.pid);
    expect(before.some((each) => after.includes(each.pid))).toBe(false);
    expect(existsSync(ground.file(a, 'disk/precious'))).toBe(true);

    expect((await ground.cloud().terminate(b)).state).toBe('terminated');
    expect(await processesOf(b)).toEqual([]);
    expect(await ground.cloud().problems(ground.environment)).toEqual([]);
  });

  test('a foreign process that has the PID is neither taken for the instance nor harmed', async () => {
    const foreign = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    others.push(foreign);
    const { id } = await ground.cloud().start(ground.request());
    await ground.cloud().powerOff(id);
    const seen = (await listProcesses()).find((each) => each.pid === foreign.pid);
    await ground.edit(id, { power: 'on', process: { group: foreign.pid, startedAt: seen?.startedAt } });
    expect((await ground.cloud().describe(id))?.state).toBe('stopped');
    await ground.cloud().stop(id);
    await ground.cloud().startAgain(id);
    await ground.edit(id, { process: { group: foreign.pid, startedAt: seen?.startedAt } });
    await ground.cloud().terminate(id);
    expect(await processesOf(id)).toEqual([]);
    expect((await listProcesses()).some((each) => each.pid === foreign.pid)).toBe(true);
  });

  test('a killed leader leaves children: stopped by itself, reported, cleared by the next start', async () => {
    const cloud = ground.cloud(DEAF);
    const { id } = await cloud.start(ground.request());
    await until('its children are there', async () => (await processesOf(id)).length === 4);
    const old = (await processesOf(id)).map((each) => each.pid);
    process.kill((await ground.record(id)).process.group, 'SIGKILL');
    await until('it is off', async () => (await cloud.describe(id))?.state === 'stopped');
    expect((await cloud.describe(id))?.cause).toBe('self');
    expect((await cloud.problems(ground.environment)).join()).toContain('are left: PIDs');

    expect((await cloud.startAgain(id)).state).toBe('running');
    expect((await processesOf(id)).some((each) => old.includes(each.pid))).toBe(false);
    expect(await cloud.problems(ground.environment)).toEqual([]);
  });

  test('stop asks first, and cuts the power of one that does not hear; nothing is left, whatever its session', async () => {
    const polite = await ground.cloud().start(ground.request('1'));
    await until('it is up', async () => (await ground.cloud().consoleLog(polite.id)).includes('has data of 1'));
    await ground.cloud().stop(polite.id);
    expect(await ground.cloud().consoleLog(polite.id)).toContain('asked to stop');

    const deaf = await ground.cloud(DEAF).start(ground.request('2'));
    await until('its children are there', async () => (await processesOf(deaf.id)).length === 4);
    const began = performance.now();
    const stopping = ground.cloud().stop(deaf.id, { graceMs: 700 });
    await until('it shows as stopping', async () => (await ground.cloud().describe(deaf.id))?.state === 'stopping');
    expect(await stopping).toMatchObject({ state: 'stopped', cause: 'user' });
    expect(performance.now() - began).toBeGreaterThan(690);
    expect(await processesOf(deaf.id)).toEqual([]);
  });

  test('a start during a stop waits for it, and the stop leaves the new run alone', async () => {
    const cloud = ground.cloud(DEAF);
    const { id } = await cloud.start(ground.request());
    // Before it has said that it is deaf, it hears.
    await until('its children are there', async () => (await processesOf(id)).length === 4);
    const stopping = cloud.stop(id, { graceMs: 500 });
    await until('it shows as stopping', async () => (await cloud.describe(id))?.state === 'stopping');
    expect((await cloud.startAgain(id)).state).toBe('running');
    await stopping;
    expect((await cloud.describe(id))?.state).toBe('running');
  });

  test('a termination does not wait for a stop under way', async () => {
    const cloud = ground.cloud(DEAF);
    const { id } = await cloud.start(ground.request());
    // Before it has said that it is deaf, it hears.
    await until('its children are there', async () => (await processesOf(id)).length === 4);
    const stopping = cloud.stop(id, { graceMs: 60_000 });
    await until('it shows as stopping', async () => (await cloud.describe(id))?.state === 'stopping');
    expect((await cloud.terminate(id)).state).toBe('terminated');
    expect((await stopping).state).toBe('terminated');
  });

  test('paused, nothing of it runs; resumed, all of it does; and a paused one can be terminated', async () => {
    const cloud = ground.cloud(DEAF);
    const { id } = await cloud.start(ground.request());
    await until('its children are there', async () => (await processesOf(id)).length === 4);
    for (let twice = 0; twice < 2; twice += 1) expect((await cloud.pause(id)).state).toBe('paused');
    expect((await processesOf(id)).every((each) => each.stopped)).toBe(true);
    for (let twice = 0; twice < 2; twice += 1) expect((await cloud.resume(id)).state).toBe('running');
    expect((await processesOf(id)).some((each) => each.stopped)).toBe(false);
    await cloud.pause(id);
    expect((await cloud.terminate(id)).state).toBe('terminated');
    expect(await processesOf(id)).toEqual([]);
    expect(existsSync(ground.file(id, 'disk'))).toBe(false);
    expect(existsSync(ground.file(id, 'user-data.json'))).toBe(false);
    await expect(cloud.pause(id)).rejects.toMatchObject({ code: 'instance-not-running' });
  });

  test('addresses are not used twice, and one where somebody listens is passed over', async () => {
    const cloud = ground.cloud();
    const first = await cloud.start(ground.request('0'));
    await cloud.terminate(first.id);
    const parts = first.address.split('.').map(Number);
    const taken = [...parts.slice(0, 3), (parts[3] ?? 0) + 1].join('.');
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(17070, taken, resolve));
    const second = await cloud.start(ground.request('1'));
    expect(second.address).toBe([...parts.slice(0, 3), (parts[3] ?? 0) + 2].join('.'));
    expect(second.ports).toEqual({ api: 17070, mongo: 37017 });

    await rm(join(ground.root, 'local', ground.environment, 'network.json'));
    const third = await cloud.start(ground.request('2'));
    expect([first.address, second.address]).not.toContain(third.address);
  });

  test('on request all share one address, with ports of their own, and an environment keeps what it began with', async () => {
    const cloud = ground.cloud(POLITE, { addressing: 'ports' });
    const all = [await cloud.start(ground.request('0')), await ground.cloud().start(ground.request('1'))];
    expect(all.map((each) => each.address)).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(new Set(all.flatMap(({ ports }) => [ports.api, ports.mongo])).size).toBe(4);
  });

  test('bad input is refused before anything is made', async () => {
    const cloud = ground.cloud();
    await expect(cloud.start({ ...ground.request(), zone: 'z' })).rejects.toMatchObject({ code: 'unknown-zone' });
    const request = ground.request();
    const elsewhere = { ...request.tags, environment: '../elsewhere' };
    await expect(cloud.start({ ...request, tags: elsewhere })).rejects.toMatchObject({ code: 'bad-environment' });
    expect(await cloud.describe('../../etc')).toBeNull();
    expect(await cloud.problems(`${ground.environment}.lock`)).toEqual([]);
    await cloud.start(request);
    const otherMachine = { ...request, tags: { ...request.tags, machine: '9' } };
    await expect(cloud.start(otherMachine)).rejects.toMatchObject({ code: 'nonce-taken' });
    expect(await cloud.list(ground.environment)).toHaveLength(1);
  });

  test('a removed environment leaves no process and no file', async () => {
    const cloud = ground.cloud(DEAF);
    const ids: string[] = [];
    for (const machine of ['0', '1', '2']) ids.push((await cloud.start(ground.request(machine))).id);
    await cloud.pause(ids[1] ?? '');
    await cloud.removeEnvironment(ground.environment);
    for (const id of ids) expect(await processesOf(id)).toEqual([]);
    expect(await cloud.environments()).toEqual([]);
    expect(await cloud.describe(ids[0] ?? '')).toBeNull();
    await cloud.removeEnvironment(ground.environment);
  });
});

describe('quorated-init', () => {
  let ground: Ground;
  const init = new URL('../../bin/quorated-init', import.meta.url).pathname;

  beforeEach(async () => {
    ground = await Ground.make();
  });
  afterEach(() => ground.close());

  async function startInit(script: string) {
    const cloud = ground.cloud('', { startCommand: ['/bin/sh', init, '/bin/sh', '-c', script] });
    const { id } = await cloud.start(ground.request());
    const said = (text: string, seconds?: number) =>
      until(`the console says ${text}`, async () => (await cloud.consoleLog(id)).includes(text), seconds);
    return { cloud, id, said };
  }

  test('starts an agent that died again, slower each time, and first clears what it left', async () => {
    // Each life leaves a child that listens: the next one's can only when that is gone.
    const child = [
      "const server = require('net').createServer()",
      "server.on('error', (error) => { console.log('child ' + error.code); process.exit() })",
      "server.listen(17070, require('./metadata.json').address, () => console.log('child is up'))",
    ].join('; ');
    const script = `
      echo "life $$"
      "${process.execPath}" -e "${child}" &
      until [ "$(grep -c '^child ' console.log)" -ge "$(grep -c '^life' console.log)" ]; do sleep 0.05; done
      exit 3`;
    const { cloud, id, said } = await startInit(script);
    await said('status 3, starting it again in 0.8 s', 30);
    const log = await cloud.consoleLog(id);
    expect(log).toMatch(/again in 0.2 s.*again in 0.4 s.*again in 0.8 s/s);
    expect(log).not.toContain('EADDRINUSE');
    expect((await cloud.describe(id))?.state).toBe('running');
    expect((await cloud.stop(id)).state).toBe('stopped');
  });

  test('passes SIGTERM on and waits for the agent to end in its own time', async () => {
    const { cloud, id, said } = await startInit(
      `trap 'echo going; sleep 1; echo gone; exit 7' TERM; sleep 600 & echo up; while :; do wait; done`,
    );
    await said('up');
    await cloud.stop(id);
    expect(await cloud.consoleLog(id)).toMatch(/going\ngone\nquorated-init: shut down/);
    expect(await processesOf(id)).toEqual([]);
  });

  test('an agent that ends in order switches the machine off, with what it left', async () => {
    const { cloud, id, said } = await startInit('sleep 600 & exit 0');
    await said('shut down');
    await until('it is off', async () => (await cloud.describe(id))?.state === 'stopped');
    expect((await cloud.describe(id))?.cause).toBe('self');
    expect(await processesOf(id)).toEqual([]);
  });

  test('SIGTERM while it waits to start the agent again ends it at once', async () => {
    const { cloud, id, said } = await startInit('exit 1');
    await said('again in 1.6 s', 30);
    await cloud.stop(id);
    expect(await cloud.consoleLog(id)).toContain('shut down');
  });
});
