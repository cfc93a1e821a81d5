import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OutputStream } from '../../state/operation-documents.js';
import { groupLives, signalGroup } from './group.js';

export interface CommandOptions {
  readonly command: readonly string[];
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  onOutput(stream: OutputStream, data: Buffer): void;
}

/** Why a command was ended; null when it ended by itself. */
export type Ending = 'cancelled' | 'timed-out' | 'shutdown' | null;

export interface CommandOutcome {
  readonly exitCode: number | null;
  readonly signal: string;
  readonly ending: Ending;
  /** Why it could not be started; empty when it was. */
  readonly problem: string;
}

/** How long a group of processes may take to leave. */
const LEAVE_MS = 5000;
const SHUTDOWN_MS = 1500;
/** How long the kernel may take to end what was killed. */
const KILLED_MS = 2000;
const LOOK_MS = 50;
/** What others that the command left behind still write is not waited for. */
const LAST_OUTPUT_MS = 1000;
/** As shells say it. */
const NOT_FOUND = 127;
const NOT_RUNNABLE = 126;

/** A command in a process group of its own, with nothing on stdin. */
export class Command {
  #ending: Ending = null;
  #over = false;
  #left: Promise<void> = Promise.resolve();
  readonly outcome: Promise<CommandOutcome>;

  private constructor(
    readonly pid: number,
    child: ChildProcess,
    options: CommandOptions,
  ) {
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.on('data', (data: Buffer) => options.onOutput(stream, data));
    }
    const limit = setTimeout(() => this.end('timed-out'), options.timeoutMs);
    this.outcome = this.#outcome(child).finally(() => clearTimeout(limit));
  }

  /** Starts it; or says how it could not be. */
  static async start(options: CommandOptions): Promise<Command | CommandOutcome> {
    const [file = '', ...args] = options.command;
    // The agent's own files are its alone, and each says so itself; what people's commands make is as everywhere.
    const before = process.umask(0o022);
    let child: ChildProcess;
    try {
      child = spawn(file, args, {
        cwd: options.directory,
        env: options.env,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
    } catch (error) {
      return refused(file, error as NodeJS.ErrnoException);
    } finally {
      process.umask(before);
    }
    if (child.pid !== undefined) return new Command(child.pid, child, options);
    const [error] = (await once(child, 'error')) as [NodeJS.ErrnoException];
    return refused(file, error);
  }

  /** Ends all of its group; the first reason counts. */
  end(why: Exclude<Ending, null>): void {
    if (this.#ending !== null || this.#over) return;
    this.#ending = why;
    this.#left = this.#endGroup(why === 'shutdown' ? SHUTDOWN_MS : LEAVE_MS);
  }

  async #outcome(child: ChildProcess): Promise<CommandOutcome> {
    const closed = once(child, 'close');
    const [exitCode, signal] = (await once(child, 'exit')) as [number | null, string | null];
    this.#over = true;
    await this.#left;
    await Promise.race([closed, sleep(LAST_OUTPUT_MS)]);
    child.stdout?.destroy();
    child.stderr?.destroy();
    return { exitCode, signal: signal ?? '', ending: this.#ending, problem: '' };
  }

  async #endGroup(graceMs: number): Promise<void> {
    signalGroup(this.pid, 'SIGTERM');
    if (await this.#leaves(graceMs)) return;
    signalGroup(this.pid, 'SIGKILL');
    await this.#leaves(KILLED_MS);
  }

  async #leaves(ms: number): Promise<boolean> {
    const deadline = performance.now() + ms;
    while (groupLives(this.pid)) {
      if (performance.now() > deadline) return false;
      await sleep(LOOK_MS);
    }
    return true;
  }
}

function refused(file: string, { code, message }: NodeJS.ErrnoException): CommandOutcome {
  const problem =
    code === 'ENOENT'
      ? `There is no command ${file} on this machine.`
      : code === 'EACCES'
        ? `${file} may not be run.`
        : `It could not be started: ${message}.`;
  const exitCode = code === 'ENOENT' ? NOT_FOUND : code === 'EACCES' ? NOT_RUNNABLE : null;
  return { exitCode, signal: '', ending: null, problem: problem.slice(0, 500) };
}
