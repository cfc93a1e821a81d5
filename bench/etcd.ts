import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/package.js';
import { reap, reaped } from '../test/support/reap.js';
import { waitFor } from './crowd/probe.js';

/**
 * etcd on the same machine, built from its Go modules (`bench/etcd`), for a figure beside ours: three members on loopback
 * addresses, asked by its JSON gateway. Without TLS, which makes it faster.
 */
export class Etcd {
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(
    private readonly processes: readonly ChildProcess[],
    private readonly reaper: ChildProcess,
    private readonly hosts: readonly string[],
  ) {}

  /** Throws where there is no Go, or its modules cannot be had. */
  static async start(members: number): Promise<Etcd> {
    const directory = mkdtempSync(join(tmpdir(), 'quorate-test-etcd-'));
    const reaper = reap(directory);
    const binary = join(packageRoot(), 'node_modules/.cache/quorate-bench-etcd');
    const built = spawnSync('go', ['build', '-o', binary, '.'], {
      cwd: join(packageRoot(), 'bench/etcd'),
      encoding: 'utf8',
    });
    if (built.status !== 0) {
      await reaped(reaper);
      throw new Error(built.error?.message ?? built.stderr.slice(-500));
    }
    const subnet = `127.${100 + Math.floor(Math.random() * 100)}.${1 + Math.floor(Math.random() * 250)}`;
    const hosts = Array.from({ length: members }, (_, n) => `${subnet}.${n + 1}`);
    const cluster = hosts.map((host, n) => `m${n}=http://${host}:2380`).join(',');
    const processes = hosts.map((host, n) =>
      spawn(
        binary,
        [
          ...['--name', `m${n}`, '--data-dir', join(directory, `m${n}`), '--log-level', 'error'],
          ...['--listen-client-urls', `http://${host}:2379`, '--advertise-client-urls', `http://${host}:2379`],
          ...['--listen-peer-urls', `http://${host}:2380`, '--initial-advertise-peer-urls', `http://${host}:2380`],
          ...['--initial-cluster', cluster],
        ],
        { stdio: 'ignore' },
      ),
    );
    const etcd = new Etcd(processes, reaper, hosts);
    try {
      await waitFor('etcd to answer', () =>
        etcd.put(0, 'here', 'now').then(
          () => true,
          () => false,
        ),
      );
    } catch (error) {
      await etcd.close();
      throw error;
    }
    return etcd;
  }

  async get(member: number, key: string): Promise<void> {
    await this.#ask(member, '/v3/kv/range', { key: base64(key) });
  }

  async put(member: number, key: string, value: string): Promise<void> {
    await this.#ask(member, '/v3/kv/put', { key: base64(key), value: base64(value) });
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    for (const child of this.processes) child.kill('SIGKILL');
    await reaped(this.reaper);
  }

  #ask(member: number, path: string, body: object): Promise<void> {
    const host = this.hosts[member % this.hosts.length];
    return new Promise((resolve, reject) => {
      const outgoing = request({ agent: this.#agent, host, port: 2379, method: 'POST', path }, (incoming) => {
        incoming.resume();
        incoming.on('end', () =>
          incoming.statusCode === 200 ? resolve() : reject(new Error(`${incoming.statusCode}`)),
        );
        incoming.on('error', reject);
      });
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify(body));
    });
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
