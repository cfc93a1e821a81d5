import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomSecret } from '../../src/boot/token.js';
import { ApiClient, type TlsFiles } from '../../src/client/client.js';
import type { ControllerConfig } from '../../src/controller/config.js';
import { builtFile } from '../../src/package.js';
import { issueWithKey } from '../../src/pki/authority.js';
import { serverName } from '../../src/pki/certificate.js';
import type { State } from '../../src/state/state.js';
import type { Target } from './calls.js';
import type { TestMembers } from './members.js';
import { SeededSet } from './mongo.js';

const PORT = 17070;

/** API servers as processes on a test's replica set, each on its member's address, with keys and certificates for callers. */
export class TestControllers implements AsyncDisposable {
  readonly #processes = new Map<string, ChildProcess>();
  readonly #outputs = new Map<string, () => string>();
  readonly #clients: ApiClient[] = [];

  readonly set: TestMembers;
  readonly state: State;

  private constructor(
    private readonly seeded: SeededSet,
    readonly bootKey: string,
    private readonly directory: string,
    readonly operator: TlsFiles,
  ) {
    this.set = seeded.set;
    this.state = seeded.state;
  }

  /** On a set of so many members with the first documents; machine 0 serves. Dispose of it, also after a failure. */
  static async serving(members: number): Promise<TestControllers> {
    const seeded = await SeededSet.start(members);
    const { set } = seeded;
    const directory = await mkdtemp(path.join(tmpdir(), 'quorate-test-api-'));
    const bootKey = randomSecret();
    const controllers = new TestControllers(seeded, bootKey, directory, await certificate(set, 'ana', 'operator'));
    try {
      await controllers.#write('ca.crt', set.authority.certificate);
      await controllers.#write('ca.key', set.authority.key);
      await controllers.#write('boot.key', `${bootKey}\n`);
      await controllers.#write('temporal.json', JSON.stringify({ address: '127.0.0.1:7233', namespace: 'default' }));
      await controllers.#write('state.crt', set.state.certificate);
      await controllers.#write('state.key', set.state.key);
      await controllers.start('0');
      return controllers;
    } catch (error) {
      await controllers[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** How a machine's API is asked, by the operator unless something else is said. */
  target(options: Partial<Target> = {}, machine = '0'): Target {
    return { address: this.address(machine), environment: this.set.environment, tls: this.operator, ...options };
  }

  /** host:port of a machine's API. */
  address(machine: string): string {
    return `${this.set.hosts[Number(machine)]?.split(':')[0]}:${PORT}`;
  }

  /** The same, for who connects by hand. */
  endpoint(machine = '0'): { readonly host: string; readonly port: number } {
    const [host = '', port = ''] = this.address(machine).split(':');
    return { host, port: Number(port) };
  }

  /** What the API server of a machine is started with; its files are written. */
  async config(machine: string): Promise<ControllerConfig> {
    const address = this.address(machine).split(':')[0] as string;
    const uuid = this.set.environment;
    const own = await certificate(this.set, `machine-${machine}`, 'agent', [address], [serverName(uuid)]);
    await this.#write(`${machine}.crt`, own.certificate ?? '');
    await this.#write(`${machine}.key`, own.key ?? '');
    const file = (name: string) => path.join(this.directory, name);
    return {
      environment: { name: 'demo', uuid },
      machine,
      listen: { address, port: PORT },
      mongo: this.set.hosts,
      tls: { ca: file('ca.crt'), certificate: file(`${machine}.crt`), key: file(`${machine}.key`) },
      stateTls: { certificate: file('state.crt'), key: file('state.key') },
      caKeyFile: file('ca.key'),
      bootKeyFile: file('boot.key'),
      temporalFile: file('temporal.json'),
    };
  }

  /** Starts the API server of a machine, with more in its environment. @returns milliseconds until it listened, and how to see what it says. */
  async start(
    machine: string,
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ startedMs: number; output: () => string; pid: number }> {
    await this.#write(`${machine}.json`, JSON.stringify(await this.config(machine)));
    const began = performance.now();
    const args = [builtFile('programs', 'api-server.js'), path.join(this.directory, `${machine}.json`)];
    const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#processes.set(machine, child);
    let output = '';
    await new Promise<void>((resolve, reject) => {
      const hear = (chunk: Buffer) => {
        output += chunk;
        if (output.includes('"API of machine')) resolve();
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.on('exit', (code) => reject(new Error(`the API server ended with ${code}: ${output}`)));
    });
    this.#outputs.set(machine, () => output);
    return { startedMs: performance.now() - began, output: () => output, pid: child.pid ?? 0 };
  }

  /** What the API server of a machine has said since it was started last. */
  said(machine: string): string {
    return this.#outputs.get(machine)?.() ?? '';
  }

  process(machine: string): ChildProcess {
    const child = this.#processes.get(machine);
    if (child === undefined) throw new Error(`machine ${machine} has no API server`);
    return child;
  }

  /** A client of these controllers alone; the operator's unless other files are given. */
  client(
    machines: readonly string[],
    options: { tls?: TlsFiles; token?: string; localAddress?: string } = {},
  ): ApiClient {
    const client = new ApiClient({
      environment: { uuid: this.set.environment, name: 'demo' },
      addresses: machines.map((machine) => this.address(machine)),
      tls: this.operator,
      // The published set would add the others.
      addressesVersion: 1_000_000,
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  get ca(): string {
    return this.set.authority.certificate;
  }

  /** A certificate of the environment for a caller. */
  certificate(cn: string, ou: 'agent' | 'operator' | 'service' | 'member'): Promise<TlsFiles> {
    return certificate(this.set, cn, ou);
  }

  async end(machine: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    const child = this.process(machine);
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const gone = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all([...this.#processes.keys()].map((machine) => this.end(machine)));
    await this.seeded[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }

  async #write(name: string, text: string): Promise<void> {
    await writeFile(path.join(this.directory, name), text, { mode: 0o600 });
  }
}

async function certificate(
  set: TestMembers,
  cn: string,
  ou: 'agent' | 'operator' | 'service' | 'member',
  addresses: string[] = [],
  names: string[] = [],
): Promise<TlsFiles> {
  const subject = { cn, ou, o: set.environment };
  return { ca: set.authority.certificate, ...(await issueWithKey(set.authority, { subject, addresses, names })) };
}
