import { rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { QuorateError } from '../../../errors.js';
import { whenUnlocked } from '../../../lock.js';
import { builtFile } from '../../../package.js';
import type { Ingress, Opened } from '../../cloud.js';
import { poll } from '../power.js';
import { type LeaderIdentity, listProcesses, sendSignal, startGroup } from '../processes.js';
import { readAs, writeJson } from '../records.js';
import { SOCKET } from './gateway.js';
import type { Wanted } from './table.js';

/** For an answer; it opens a thousand ports in a tenth of that. */
const ANSWER_MS = 3000;
const START_MS = 15_000;
const KILL_MS = 10_000;
/** Who waits longer for another one to start or end it waits for a process that stands still. */
const BUSY = { forMs: 20_000, everyMs: 100 } as const;

/** gateway.json: who it is, so that it can be ended although it does not answer. */
const Identity = Type.Object({ group: Type.Integer({ minimum: 2 }), startedAt: Type.Number() });

/** It opens ports and keeps their number: nothing that needs a large heap. */
const NODE_FLAGS = ['--optimize-for-size', '--max-semi-space-size=1'] as const;

/** The gateway of an environment, seen from any process: it runs as long as anything is open. */
export class GatewayProcess {
  readonly #directory: string;

  /** @param directory the environment's */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** What is open; nothing where none runs. */
  async list(): Promise<readonly Ingress[]> {
    return (await this.#askIfThere<readonly Ingress[]>('GET', '/')) ?? [];
  }

  /** Starts it if none answers. */
  async set(wanted: Wanted): Promise<Opened> {
    const answer = await this.#askIfThere<Opened>('PUT', '/', wanted);
    if (wanted.rules.length > 0) {
      if (answer !== null) return answer;
      await this.#start();
      return await this.#ask<Opened>('PUT', '/', wanted);
    }
    await this.#endIdle();
    return { address: wanted.address, failures: [] };
  }

  /** The instance is gone: nothing of it is open any more. */
  async drop(instance: string): Promise<void> {
    if ((await this.#askIfThere('DELETE', `/${instance}`)) !== null) await this.#endIdle();
  }

  /** One that has nothing to let in any more. Whoever tells it to at this moment finds it gone, and starts another. */
  async #endIdle(): Promise<void> {
    if ((await this.list()).every(({ rules }) => rules.length === 0)) await this.end();
  }

  /** Ends it, and resolves when it is gone. Harmless when there is none. */
  async end(): Promise<void> {
    await this.#alone(() => this.#kill());
  }

  async #start(): Promise<void> {
    await this.#alone(async () => {
      // Another process may have started it meanwhile.
      if ((await this.#askIfThere('GET', '/')) !== null) return;
      await this.#kill();
      await rm(join(this.#directory, SOCKET), { force: true });
      const identity = await startGroup(
        [process.execPath, ...NODE_FLAGS, builtFile('programs', 'gateway.js'), this.#directory],
        {
          directory: this.#directory,
          log: join(this.#directory, 'gateway.log'),
          env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
        },
      );
      await writeJson(join(this.#directory, 'gateway.json'), identity);
      if (await poll(START_MS, async () => (await this.#askIfThere('GET', '/')) !== null)) return;
      throw new QuorateError('no-gateway', 'the process that lets in to exposed ports did not start', {
        todo: `see what it said in ${join(this.#directory, 'gateway.log')}`,
      });
    });
  }

  async #kill(): Promise<void> {
    const read = await readAs(Identity, join(this.#directory, 'gateway.json'));
    if (!('value' in read)) return;
    const gone = await poll(KILL_MS, async () => {
      if (!(await lives(read.value))) return true;
      sendSignal(-read.value.group, 'SIGKILL');
      return false;
    });
    if (!gone) throw new QuorateError('processes-left', `the gateway, PID ${read.value.group}, did not take SIGKILL`);
    await rm(join(this.#directory, 'gateway.json'), { force: true });
  }

  /** Null where none answers: none runs, or it stands still. */
  async #askIfThere<T>(method: string, path: string, body?: unknown): Promise<T | null> {
    try {
      return await this.#ask<T>(method, path, body);
    } catch (error) {
      if (NOT_THERE.has((error as NodeJS.ErrnoException).code ?? '')) return null;
      throw error;
    }
  }

  #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const asking = request({ socketPath: join(this.#directory, SOCKET), method, path, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text) as T);
          else reject(new QuorateError('gateway-failed', `the gateway failed: ${text}`));
        });
      });
      asking.setTimeout(ANSWER_MS, () => asking.destroy(silent()));
      asking.once('error', reject);
      asking.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** One process at a time starts or ends it. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    return await whenUnlocked(join(this.#directory, 'gateway.json'), BUSY, work);
  }
}

const silent = () => Object.assign(new Error('the gateway did not answer'), { code: 'ETIMEDOUT' });

/** What asking fails with when none runs, when it was killed in the middle, or when it stands still. */
const NOT_THERE: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

async function lives({ group, startedAt }: LeaderIdentity): Promise<boolean> {
  return (await listProcesses()).some((each) => each.pid === group && each.startedAt === startedAt);
}
