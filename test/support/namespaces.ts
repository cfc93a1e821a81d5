import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { StartRequest } from '../../src/cloud/cloud.js';
import type { LocalInstance } from '../../src/cloud/local/group.js';
import { LocalCloud, type LocalCloudOptions } from '../../src/cloud/local/local-cloud.js';
import { checkNamespaces } from '../../src/cloud/local/namespace/isolation.js';
import { builtFile, packageRoot } from '../../src/package.js';
import { until } from './home.js';

/** Why there are no namespaces here; empty when there are. */
export async function whyNoNamespaces(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-probe-'));
  try {
    await checkNamespaces(directory);
    return '';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A local cloud of its own whose instances have namespaces and talk (talking-machine.mjs). */
export class Lab {
  readonly environment = randomUUID();

  private constructor(readonly root: string) {}

  static async make(): Promise<Lab> {
    return new Lab(await mkdtemp(join(tmpdir(), 'quorate-lab-')));
  }

  /** Opened anew each time, as commands do. */
  get cloud(): LocalCloud {
    return new LocalCloud(this.#options);
  }

  get #options(): LocalCloudOptions {
    const talker = join(packageRoot(), 'test/support/talking-machine.mjs');
    const init = join(packageRoot(), 'bin/quorated-init');
    const startCommand = ['/bin/sh', init, process.execPath, talker];
    return { root: join(this.root, 'local'), startCommand, addressing: 'namespace' };
  }

  /** Another command of the built package starts the instance, and is killed so long after it began. */
  async startElsewhere(request: StartRequest, killAfterMs: number): Promise<void> {
    const module = builtFile('src', 'cloud', 'local', 'local-cloud.js');
    const program = `
      const { LocalCloud } = await import(${JSON.stringify(module)});
      const cloud = new LocalCloud(${JSON.stringify(this.#options)});
      console.error('begins');
      await cloud.start(${JSON.stringify(request)});`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.stderr.once('data', () => setTimeout(() => child.kill('SIGKILL'), killAfterMs));
    await ended;
  }

  async start(machine = '0'): Promise<LocalInstance> {
    const tags = { environment: this.environment, machine, nonce: randomUUID() };
    const instance = await this.cloud.start({ tags, userData: 'hello', zone: 'a' });
    await this.talk(instance);
    return instance;
  }

  /** A connection to a machine that has just started. */
  talk(to: LocalInstance): Promise<Line> {
    return until(`${to.id} to talk`, () => Line.to(to.address));
  }

  directory({ id }: LocalInstance): string {
    return join(this.root, 'local', this.environment, id);
  }

  async close(): Promise<void> {
    for (const environment of await this.cloud.environments()) await this.cloud.removeEnvironment(environment);
    await rm(this.root, { recursive: true, force: true });
  }
}

/** One connection to a talking machine. */
export class Line {
  readonly socket: Socket;
  readonly #lines: Interface;
  readonly #answers: string[] = [];
  /** Why the connection ended; null while it has not. */
  ended: string | null = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.#lines = createInterface({ input: socket });
    this.#lines.on('line', (line) => this.#answers.push(line));
    const end = (error: NodeJS.ErrnoException) => {
      this.ended = error.code ?? error.message;
    };
    socket.on('error', end);
    // The reader passes the socket's errors on as its own.
    this.#lines.on('error', end);
    socket.on('close', () => {
      this.ended ??= 'closed';
    });
  }

  static async to(address: string): Promise<Line> {
    const socket = connect({ host: address, port: 17070 });
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
      socket.setTimeout(2000, () => reject(new Error(`no answer from ${address}`))).unref();
    }).catch((error) => {
      socket.destroy();
      throw error;
    });
    socket.setTimeout(0);
    return new Line(socket);
  }

  say(words: string): void {
    this.socket.write(`${words}\n`);
  }

  /** The oldest answer that nobody has had; null when there is none yet. */
  next(): string | null {
    return this.#answers.shift() ?? null;
  }

  async ask(words: string): Promise<string> {
    this.say(words);
    return until(`an answer to ${words}`, async () => {
      if (this.ended !== null) throw new Error(`the connection ended: ${this.ended}`);
      const answer = this.next();
      return answer === null ? null : { answer };
    }).then(({ answer }) => answer);
  }
}

/** What an isolated environment could leave behind on this machine: devices, mounts, loop devices that name a directory. */
export function leftOf(directory: string): string[] {
  const devices = readdirSync('/sys/class/net').filter((name) => /^q[bvdnf][0-9a-f]{12}$/.test(name));
  const bridges = devices.filter((name) => read(`/sys/class/net/${name}/ifalias`).includes(directory));
  const mounts = read('/proc/self/mounts')
    .split('\n')
    .filter((line) => line.includes(directory));
  const loops = readdirSync('/sys/block').filter(
    (name) => name.startsWith('loop') && read(`/sys/block/${name}/loop/backing_file`).includes(directory),
  );
  return [...bridges, ...mounts, ...loops];
}

/** An instance's own devices. */
export function devicesOf({ id }: Pick<LocalInstance, 'id'>): string[] {
  return readdirSync('/sys/class/net').filter((name) => name.slice(2) === id.slice(2, 14));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It is gone, or a loop device is not in use.
  }
}
