import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { packageRoot } from '../src/package.js';
import { PARAMETERS } from '../src/replicaset/parameters.js';
import { findServer } from '../src/toolchain/find.js';
import { reap, reaped } from '../test/support/reap.js';

/**
 * The floor: mongods alone on loopback addresses, driven by a script with nothing of ours in the way. Heartbeats and
 * parameters are the environment's own, TLS and users are left out (they only make the floor lower).
 */
export class BareSet {
  readonly #base = mkdtempSync(join(tmpdir(), 'quorate-test-bare-'));
  /** Ends the mongods also when the benchmark is interrupted. */
  readonly #reaper = reap(this.#base);
  readonly #mongod: string;
  readonly #subnet = `127.${100 + Math.floor(Math.random() * 100)}.${1 + Math.floor(Math.random() * 250)}`;
  readonly #processes: ChildProcess[] = [];
  readonly #clients: MongoClient[] = [];
  readonly hosts: string[] = [];

  constructor(mongod: string) {
    this.#mongod = mongod;
  }

  /** Starts that many more mongods and waits until they accept connections. */
  async start(count: number): Promise<void> {
    const first = this.hosts.length;
    for (let index = first; index < first + count; index++) {
      this.hosts.push(`${this.#subnet}.${index + 1}:37017`);
      mkdirSync(join(this.#base, `d${index}`));
      this.#processes.push(this.#spawn(index));
    }
    for (let index = first; index < first + count; index++) {
      const client = new MongoClient(`mongodb://${this.hosts[index]}/?directConnection=true`, {
        serverSelectionTimeoutMS: 10_000,
        heartbeatFrequencyMS: 500,
        connectTimeoutMS: 500,
      });
      await until('a mongod that answers', () => client.db('admin').command({ ping: 1 }));
      this.#clients.push(client);
    }
  }

  #spawn(index: number): ChildProcess {
    // The one about ciphers is refused without TLS, which the bare ones do without.
    const parameters = PARAMETERS.filter(({ name }) => !name.startsWith('openssl')).flatMap(({ name, value }) => [
      '--setParameter',
      `${name}=${value}`,
    ]);
    const [address = '', port = ''] = (this.hosts[index] ?? '').split(':');
    const args = ['--dbpath', join(this.#base, `d${index}`), '--bind_ip', address, '--port', port];
    args.push('--replSet', 'juju', '--nounixsocket', '--logpath', join(this.#base, `l${index}`), '--logappend');
    return spawn(this.#mongod, [...args, '--wiredTigerCacheSizeGB', '0.25', ...parameters], { stdio: 'ignore' });
  }

  /** Kills a mongod (if it still runs) and starts it again. */
  async restart(index: number): Promise<void> {
    await this.kill(index);
    this.#processes[index] = this.#spawn(index);
  }

  /** Kills a mongod, if it still runs, and waits until it is gone. */
  async kill(index: number): Promise<void> {
    const child = this.process(index);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Points a follower at the heir, as a planned hand-over does; needs writes to flow. */
  async follow(follower: number, heir: number): Promise<void> {
    for (let attempt = 0; attempt < 10; attempt++) {
      await this.admin(follower).command({ replSetSyncFrom: this.hosts[heir] });
      await new Promise((resolve) => setTimeout(resolve, 500));
      const { syncSourceHost } = await this.admin(follower).command({ replSetGetStatus: 1 });
      if (syncSourceHost === this.hosts[heir]) return;
    }
  }

  /** Thaws and restarts whatever was hit, and waits until all follow one primary. */
  async heal(): Promise<void> {
    for (const [index, child] of this.#processes.entries()) {
      if (child.exitCode !== null || child.signalCode !== null) await this.restart(index);
      else child.kill('SIGCONT');
    }
    await until('one primary and secondaries', async () => {
      const { members } = await this.admin(0).command({ replSetGetStatus: 1 });
      const states = members.map(({ stateStr }: { stateStr: string }) => stateStr).sort();
      return states[0] === 'PRIMARY' && states.slice(1).every((state: string) => state === 'SECONDARY');
    });
  }

  process(index: number): ChildProcess {
    const child = this.#processes[index];
    if (!child) throw new Error(`no mongod ${index}`);
    return child;
  }

  admin(index: number) {
    const client = this.#clients[index];
    if (!client) throw new Error(`no mongod ${index}`);
    return client.db('admin');
  }

  async initiate(): Promise<void> {
    const settings = { heartbeatIntervalMillis: 500, electionTimeoutMillis: 2000, catchUpTimeoutMillis: 0 };
    await this.admin(0).command({
      replSetInitiate: { _id: 'juju', members: [{ _id: 0, host: this.hosts[0] }], settings },
    });
    await until('a primary', async () => (await this.admin(0).command({ hello: 1 })).isWritablePrimary);
    await this.admin(0).command({
      setDefaultRWConcern: 1,
      defaultWriteConcern: { w: 'majority', j: true, wtimeout: 0 },
    });
  }

  async reconfig(primary: number, change: (members: Member[]) => Member[]): Promise<void> {
    await until('a reconfig', async () => {
      const { config } = await this.admin(primary).command({ replSetGetConfig: 1 });
      const next = { ...config, version: config.version + 1, members: change(config.members) };
      return this.admin(primary).command({ replSetReconfig: next, maxTimeMS: 5000 });
    });
  }

  async optime(index: number): Promise<bigint> {
    const { optimes } = await this.admin(index).command({ replSetGetStatus: 1 });
    return optimes.appliedOpTime.ts.toBigInt();
  }

  /** All others join without votes, are caught up, get their votes one by one. */
  async grow(): Promise<void> {
    await this.#join(this.hosts.slice(1).map((_, index) => index + 1));
  }

  /** The primary is the first; one that is dead loses its vote and leaves, and a new one takes its place. */
  async replace(dead: number): Promise<void> {
    await this.#setVote(0, dead, 0);
    await this.reconfig(0, (members) => members.filter(({ _id }) => _id !== dead));
    await this.start(1);
    await this.#join([this.hosts.length - 1]);
  }

  async #join(indices: readonly number[]): Promise<void> {
    const joiners = indices.map((index) => ({ _id: index, host: this.hosts[index] ?? '', votes: 0, priority: 0 }));
    await this.reconfig(0, (members) => [...members, ...joiners]);
    for (const index of indices) {
      await until('a member that is caught up', async () => {
        const reference = await this.optime(0);
        return (await this.optime(index)) >= reference;
      });
    }
    for (const index of indices) await this.#setVote(0, index, 1);
  }

  async #setVote(primary: number, index: number, vote: 0 | 1): Promise<void> {
    await this.reconfig(primary, (members) =>
      members.map((member) => (member._id === index ? { ...member, votes: vote, priority: vote } : member)),
    );
  }

  /** Back to the one that `keep` names, which becomes primary first. */
  async shrink(keep: number): Promise<void> {
    await this.stepUp([keep]);
    for (let index = 0; index < this.hosts.length; index++) {
      if (index !== keep) await this.#setVote(keep, index, 0);
    }
    await this.reconfig(keep, (members) => members.filter(({ _id }) => _id === keep));
  }

  /** The first of these that wins stands up; the others try 10 ms later, as the probe did. */
  async stepUp(candidates: readonly number[]): Promise<number> {
    for (let attempt = 0; attempt < 500; attempt++) {
      const index = candidates[attempt % candidates.length] ?? 0;
      try {
        await this.admin(index).command({ replSetStepUp: 1 });
        return index;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    throw new Error('no member could stand up');
  }

  /** A client that inserts with majority without pause. */
  writer(): BareWriter {
    return new BareWriter(this.hosts);
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close().catch(() => undefined)));
    await reaped(this.#reaper);
  }
}

export async function bareSet(): Promise<BareSet> {
  const cacheDir = join(packageRoot(), 'node_modules/.cache/quorate-servers');
  return new BareSet((await findServer('mongod', { cacheDir })).path);
}

interface Member {
  _id: number;
  host: string;
  votes: number;
  priority: number;
}

export class BareWriter {
  readonly #client: MongoClient;
  #running = true;
  #longest = 0;
  #last = performance.now();
  readonly #loop: Promise<void>;

  constructor(hosts: readonly string[]) {
    this.#client = new MongoClient(`mongodb://${hosts.join(',')}/?replicaSet=juju&w=majority`, {
      heartbeatFrequencyMS: 500,
      connectTimeoutMS: 500,
      minPoolSize: 2,
    });
    this.#loop = this.#write();
  }

  async #write(): Promise<void> {
    const writes = this.#client.db('bench').collection('writes');
    while (this.#running) {
      try {
        await writes.insertOne({});
        const now = performance.now();
        this.#longest = Math.max(this.#longest, now - this.#last);
        this.#last = now;
      } catch {
        // A write that failed is not acknowledged: the wait goes on.
      }
    }
  }

  /** Longest time between two acknowledged writes since the last call, in seconds. */
  lap(): number {
    const longest = Math.max(this.#longest, performance.now() - this.#last);
    this.#longest = 0;
    return longest / 1000;
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.race([this.#loop, new Promise((resolve) => setTimeout(resolve, 3000))]);
    await this.#client.close(true);
  }
}

async function until<T>(what: string, probe: () => Promise<T>, seconds = 30): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const seen = await probe();
      if (seen) return seen;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited ${seconds} s for ${what}: ${last}`);
}
