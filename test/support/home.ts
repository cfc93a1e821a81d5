import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Status } from '../../src/api/status.js';
import { packageRoot } from '../../src/package.js';
import { reap, reaped } from './reap.js';

const root = packageRoot();
const bin = join(root, 'bin/quorate.js');

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * An operator of their own: an empty QUORATE_HOME, the real command line, and everything it starts. A reaper beside the
 * test ends all that belongs to the home when the test ends, however it ends.
 */
export class Home {
  readonly dir = mkdtempSync(join(tmpdir(), 'quorate-test-'));
  readonly env: NodeJS.ProcessEnv;
  readonly #reaper: ChildProcess;

  constructor() {
    // Found servers are kept between tests; everything else is new.
    this.env = { ...process.env, QUORATE_HOME: this.dir, NO_COLOR: '1' };
    for (const name of Object.keys(this.env)) if (name.startsWith('TEMPORAL_')) delete this.env[name];
    this.#reaper = reap(this.dir);
  }

  /** Starts a command; its end is in `done`. */
  start(...args: string[]): { child: ChildProcess; done: Promise<Run> } {
    const child = spawn(process.execPath, [bin, ...args], { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    const done = new Promise<Run>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, stdout, stderr }));
    });
    return { child, done };
  }

  /** Runs a command to its end, whatever that is. */
  run(...args: string[]): Promise<Run> {
    return this.start(...args).done;
  }

  /** Runs a command that must succeed. @returns what it printed on stdout */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) throw new Error(`quorate ${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`);
    return stdout;
  }

  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.ok(...args, '--format', 'json')) as T;
  }

  status(): Promise<Status> {
    return this.json<Status>('status');
  }

  /** PIDs of all processes that belong to this home, whatever they are. */
  processes(): { pid: number; command: string }[] {
    return processesOf(this.dir);
  }

  /** Ends everything that belongs to the home and removes it. */
  async close(): Promise<void> {
    await reaped(this.#reaper);
  }

  /** Ends everything that belongs to the home and leaves its files, to look at. */
  async leave(): Promise<void> {
    this.#reaper.stdin?.write('keep\n');
    await this.close();
  }
}

/** Processes whose environment or arguments name the directory. */
export function processesOf(dir: string): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        const environ = readFileSync(`/proc/${name}/environ`, 'utf8');
        const mine = (command.includes(dir) || environ.includes(dir)) && !command.includes('reaper.mjs');
        return mine && command ? [{ pid: Number(name), command }] : [];
      } catch {
        return []; // It ended while we looked.
      }
    });
}

/** Polls until `probe` gives something, for at most `seconds`; the failure says what was waited for and what was seen. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | null | false | undefined>,
  seconds = 60,
  everyMs = 50,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let last: unknown = null;
  while (performance.now() < deadline) {
    try {
      const seen = await probe();
      if (seen) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error(
    `waited ${seconds} s for ${what}; last seen: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
  );
}
