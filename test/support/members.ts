/**
 * Real mongods for tests of the replica set itself: TLS and certificates as in an environment, each on an address of its own,
 * to be killed, frozen and started again at will.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MongoClient } from 'mongodb';
import { type Authority, createAuthority, issueWithKey } from '../../src/pki/authority.js';
import type { Identity } from '../../src/pki/identity.js';
import { adminCommand, directClient } from '../../src/replicaset/connect.js';
import { initiate } from '../../src/replicaset/initiate.js';
import { applyParameters, mongodArguments } from '../../src/replicaset/parameters.js';
import type { Joiner } from '../../src/replicaset/reconfig.js';
import { dirsOf } from '../../src/store/dirs.js';
import { findServer } from '../../src/toolchain/find.js';
import { reap } from './reap.js';

const PORT = 37017;

export class TestMember {
  process: ChildProcess | null = null;
  constructor(
    readonly joiner: Joiner,
    readonly directory: string,
    readonly identity: Identity,
    private readonly command: string,
  ) {}

  get host(): string {
    return this.joiner.host;
  }

  async start(): Promise<void> {
    const data = path.join(this.directory, 'data');
    await mkdir(data, { recursive: true });
    const { ca, certificate, key } = this.identity;
    await writeFile(path.join(this.directory, 'member.pem'), certificate + key, { mode: 0o600 });
    await writeFile(path.join(this.directory, 'ca.crt'), ca);
    const args = mongodArguments({
      dataDirectory: data,
      logFile: path.join(this.directory, 'mongod.log'),
      address: this.host.split(':')[0] as string,
      port: PORT,
      certificateKeyFile: path.join(this.directory, 'member.pem'),
      caFile: path.join(this.directory, 'ca.crt'),
      cacheMb: 256,
    });
    this.process = spawn(this.command, args, { stdio: 'ignore' });
    const client = this.client();
    try {
      for (let tries = 0; ; tries++) {
        if (this.process.exitCode !== null) throw new Error(`mongod ended: ${await this.log()}`);
        try {
          await adminCommand(client, { ping: 1 });
          await applyParameters(client);
          return;
        } catch (error) {
          if (tries > 100) throw error;
          await sleep(50);
        }
      }
    } finally {
      await client.close();
    }
  }

  /** Logged in by the member's own certificate, which may do everything. */
  client(): MongoClient {
    return directClient(this.host, this.identity);
  }

  async log(): Promise<string> {
    return (await readFile(path.join(this.directory, 'mongod.log'), 'utf8')).slice(-4000);
  }

  signal(name: NodeJS.Signals): void {
    this.process?.kill(name);
  }

  async kill(): Promise<void> {
    const running = this.process;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await gone;
  }
}

export class TestMembers implements AsyncDisposable {
  private constructor(
    readonly members: readonly TestMember[],
    readonly environment: string,
    readonly authority: Authority,
    /** CN=membership and CN=state, as the services log in. */
    readonly membership: Identity,
    readonly state: Identity,
    private readonly directory: string,
  ) {}

  static async start(count: number): Promise<TestMembers> {
    const { path: command } = await findServer('mongod', { cacheDir: dirsOf(process.env).toolchain });
    const directory = await mkdtemp(path.join(os.tmpdir(), 'quorate-test-members-'));
    reap(directory);
    const environment = crypto.randomUUID();
    const authority = await createAuthority(environment);
    const identityOf = async (cn: string, ou: 'member' | 'service', addresses: string[] = []): Promise<Identity> => ({
      ca: authority.certificate,
      ...(await issueWithKey(authority, { subject: { cn, ou, o: environment }, addresses })),
    });
    const network = await freeNetwork();
    const members: TestMember[] = [];
    for (let i = 0; i < count; i++) {
      const address = `${network}.${i + 1}`;
      const joiner = { machine: String(i), memberId: i, host: `${address}:${PORT}`, zone: '' };
      const identity = await identityOf(`machine-${i}`, 'member', [address]);
      members.push(new TestMember(joiner, path.join(directory, String(i)), identity, command));
    }
    const services = [await identityOf('membership', 'service'), await identityOf('state', 'service')] as const;
    const set = new TestMembers(members, environment, authority, ...services, directory);
    try {
      await Promise.all(members.map((member) => member.start()));
    } catch (error) {
      await set[Symbol.asyncDispose]();
      throw error;
    }
    return set;
  }

  get hosts(): string[] {
    return this.members.map((member) => member.host);
  }

  get joiners(): Joiner[] {
    return this.members.map((member) => member.joiner);
  }

  member(host: string): TestMember {
    const found = this.members.find((member) => member.host === host);
    if (found === undefined) throw new Error(`no member ${host}`);
    return found;
  }

  async initiate(heartbeatMs = 500, electionMs = 2000): Promise<void> {
    const [first] = this.members as [TestMember];
    const { identity, joiner: member } = first;
    await initiate({ environment: this.environment, member, identity, timings: { heartbeatMs, electionMs } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    if (process.env.QUORATE_KEEP === undefined) await rm(this.directory, { recursive: true, force: true });
  }
}

/** Three numbers of 127/8 on whose first address nobody listens. */
async function freeNetwork(): Promise<string> {
  for (;;) {
    const network = `127.${100 + Math.floor(Math.random() * 100)}.${Math.floor(Math.random() * 250)}`;
    const taken = await new Promise<boolean>((resolve) => {
      const socket = connect(PORT, `${network}.1`);
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (!taken) return network;
  }
}
