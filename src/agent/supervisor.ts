import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { reasonOf } from '../errors.js';
import { endLeftover, markOf, type ProcessMark, signal } from '../process.js';
import type { ServiceStatus } from '../state/documents.js';
import { readIfThere, writePrivate } from '../store/files.js';
import type { AgentFiles } from './files.js';
import { say } from './say.js';
import type { Note } from './status-log/status-log.js';
import { nextFor, SETTLED_MS, type ServiceView } from './supervise.js';

export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** One thing that the agent keeps running for a job. */
export interface Service {
  readonly name: 'mongod' | 'api' | 'worker';
  /** How long it may take to leave after SIGTERM before it is killed. */
  readonly stopWithinMs: number;
  /** Writes what the process needs (configuration, certificates) and says how to start it. */
  prepare(): Promise<Launch>;
  /** Resolves when the process does its work; gives up when the signal aborts (the process has left). */
  ready(signal: AbortSignal): Promise<void>;
  /** Has the running process read its certificates anew; rejects when it does not say that it did. */
  reload(pid: number): Promise<void>;
}

/** For our own processes, which mostly wait: a small nursery saves each a quarter of its memory. */
export const SMALL_HEAP = '--max-semi-space-size=1';

const LONGEST_LOG = 16 * 1024 * 1024;

/**
 * Keeps one service as it is wanted: started, started again after a pause when it dies, given time to leave, never two at
 * once, never left behind. What to do next is decided in `supervise.ts`.
 */
export class Supervisor {
  #wanted = false;
  #child: ChildProcess | null = null;
  #process: ServiceView['process'] = 'none';
  #starting = false;
  #ready = false;
  #failures = 0;
  #restarts = 0;
  #startedAt = 0;
  #endedAt: number | null = null;
  #terminatedAt: number | null = null;
  #message = '';
  /** Why it is to leave. */
  #why = '';
  #timer: NodeJS.Timeout | null = null;
  readonly #waiting = new Set<() => void>();

  constructor(
    private readonly service: Service,
    private readonly files: AgentFiles,
    private readonly onChange: () => void,
    private readonly note: Note,
  ) {}

  /** Asks for the service to run, or to stop, and then says why. Returns at once; `stopped()` waits. */
  want(wanted: boolean, why = ''): void {
    if (this.#wanted === wanted) return;
    this.#wanted = wanted;
    this.#why = why;
    if (wanted) {
      this.#failures = 0;
      this.#message = '';
    }
    this.#step();
    this.#changed();
  }

  get name(): Service['name'] {
    return this.service.name;
  }

  get running(): boolean {
    return this.#process === 'up' && this.#ready;
  }

  /** PID of the process that does its work now, or null. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  status(): ServiceStatus {
    return { state: this.#state(), message: this.#message, pid: this.pid, restarts: this.#restarts };
  }

  /** Resolves when no process of the service is there and none is wanted. */
  async stopped(): Promise<void> {
    while (this.#wanted || this.#process !== 'none' || this.#starting) await this.#nextChange();
  }

  /** Resolves when the service runs, has failed to, or is not wanted; at the latest after `ms`, or when the signal aborts. */
  async tried(ms: number, signal: AbortSignal): Promise<void> {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
    const out = new Promise((resolve) => patience.addEventListener('abort', resolve, { once: true }));
    while (this.#state() === 'starting' && !patience.aborted) await Promise.race([this.#nextChange(), out]);
  }

  /** Has what runs read its certificates anew; one that ends meanwhile has read them when it begins again. */
  async reload(): Promise<void> {
    const { pid } = this;
    if (pid === null || this.#process !== 'up') return;
    try {
      await this.service.reload(pid);
    } catch (error) {
      if (this.pid === pid) throw error;
    }
  }

  /** Kills the process, which is started again at once when it is wanted. Resolves when it is gone. */
  async kill(why: string): Promise<void> {
    const child = this.#child;
    if (child === null || this.#process === 'killed') return;
    this.#why = why;
    this.#kill();
    await once(child, 'exit');
  }

  #state(): ServiceStatus['state'] {
    if (this.#process === 'terminating' || this.#process === 'killed') return 'stopping';
    if (this.#process === 'up') return this.#ready ? 'running' : 'starting';
    if (!this.#wanted) return 'stopped';
    return this.#failures > 0 ? 'backing-off' : 'starting';
  }

  #step(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#starting) return;
    const next = nextFor(
      {
        wanted: this.#wanted,
        process: this.#process,
        failures: this.#failures,
        endedAt: this.#endedAt,
        terminatedAt: this.#terminatedAt,
        stopWithinMs: this.service.stopWithinMs,
      },
      performance.now(),
    );
    switch (next.do) {
      case 'start':
        void this.#start();
        return;
      case 'terminate':
        this.#terminate();
        this.#step();
        return;
      case 'kill':
        this.#kill();
        return;
      case 'wait':
        if (next.ms !== null) this.#timer = setTimeout(() => this.#step(), Math.ceil(next.ms));
    }
  }

  async #start(): Promise<void> {
    this.#starting = true;
    this.#ready = false;
    this.#terminatedAt = null;
    this.#startedAt = performance.now();
    try {
      await this.#endEarlierProcess();
      const launch = await this.service.prepare();
      // What was wanted may have changed while the configuration was written.
      if (this.#wanted) await this.#spawn(launch);
    } catch (error) {
      this.#ended(`could not be started: ${reasonOf(error)}`);
    } finally {
      this.#starting = false;
      this.#step();
      this.#changed();
    }
  }

  /** One that outlived an agent that was killed. */
  async #endEarlierProcess(): Promise<void> {
    const text = await readIfThere(this.#runFile());
    if (text === null) return;
    try {
      await endLeftover(JSON.parse(text) as ProcessMark, this.service.stopWithinMs);
    } finally {
      rmSync(this.#runFile(), { force: true });
    }
  }

  async #spawn(launch: Launch): Promise<void> {
    const log = openLog(path.join(this.files.logs, `${this.service.name}.log`));
    try {
      const child = spawn(launch.file, launch.args, {
        // Our own processes leave when this pipe closes, that is when the agent dies.
        stdio: ['pipe', log, log],
        env: launch.env ?? process.env,
        cwd: this.files.disk,
      });
      child.stdin?.on('error', () => {});
      await once(child, 'spawn');
      this.#child = child;
      this.#process = 'up';
      child.once('exit', (code, name) => {
        this.#child = null;
        rmSync(this.#runFile(), { force: true });
        this.#ended(`ended with ${name ?? `exit code ${code}`}; see ${this.service.name}.log`);
      });
      const mark = child.pid === undefined ? null : await markOf(child.pid);
      if (mark !== null) await writePrivate(this.#runFile(), JSON.stringify(mark));
      if (this.#child === child) void this.#becomeReady(child);
    } finally {
      closeSync(log);
    }
  }

  async #becomeReady(child: ChildProcess): Promise<void> {
    const gone = new AbortController();
    child.once('exit', () => gone.abort());
    try {
      await this.service.ready(gone.signal);
      if (this.#child !== child || this.#process !== 'up') return;
      this.#ready = true;
      this.#message = '';
      this.#say(`runs as ${child.pid}`);
      this.note(this.name, 'running', `It runs as process ${child.pid}.`);
    } catch (error) {
      if (gone.signal.aborted) return;
      this.#message = `runs and does not answer: ${reasonOf(error)}`;
    }
    this.#changed();
  }

  #terminate(): void {
    this.#process = 'terminating';
    this.#terminatedAt = performance.now();
    if (this.pid !== null) signal(this.pid, 'SIGTERM');
    this.#say('is to leave');
  }

  #kill(): void {
    this.#process = 'killed';
    if (this.pid !== null) signal(this.pid, 'SIGKILL');
  }

  #ended(why: string): void {
    const asked = this.#process !== 'up' && this.#process !== 'none';
    const lasted = performance.now() - this.#startedAt;
    this.#process = 'none';
    this.#ready = false;
    this.#endedAt = performance.now();
    this.#failures = asked || lasted >= SETTLED_MS ? 0 : this.#failures + 1;
    if (!asked) this.#message = why;
    this.#say(asked ? 'has left' : why, asked ? 'info' : 'warn');
    if (asked) this.note(this.name, 'stopped', `It has left: ${this.#why}.`);
    else this.note(this.name, 'failed', `It ${why.replace(/\.?$/, '.')}`);
    if (this.#wanted) this.#restarts += 1;
    this.#step();
    this.#changed();
  }

  #say(what: string, level: 'info' | 'warn' = 'info'): void {
    say(`${this.service.name} ${what}`, level);
  }

  #runFile(): string {
    return path.join(this.files.run, `${this.service.name}.json`);
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
    this.onChange();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }
}

/** Appends; the log before the last start is kept once it is long. */
function openLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LONGEST_LOG) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}
