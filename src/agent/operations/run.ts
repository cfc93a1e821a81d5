import { mkdir } from 'node:fs/promises';
import type { ToldOperation } from '../../api/agent-operations.js';
import { reasonOf } from '../../errors.js';
import { markOf } from '../../process.js';
import { Command } from './command.js';
import { endOf } from './end.js';
import type { JournalEntry } from './journal.js';
import { lingerMs, Pieces } from './pieces.js';

export type Work = NonNullable<ToldOperation['work']>;

export interface RunOptions {
  readonly work: Work;
  readonly entry: JournalEntry;
  /** Where it runs; made when it is not there. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  /** More output is on disk. */
  onOutput(): void;
}

/** A command from its start to its end, with all that it writes on its way to the disk. */
export class Run {
  readonly #pieces: Pieces;
  #command: Command | null = null;
  #timer: NodeJS.Timeout | null = null;
  #cut = '';
  #storing: Promise<void> = Promise.resolve();
  /** Resolves when it has ended and that is on disk. */
  ended: Promise<void> = Promise.resolve();

  private constructor(private readonly options: RunOptions) {
    this.#pieces = new Pieces(options.work.outputLimit);
  }

  /** Begins it, which must be on disk already. */
  static async begin(options: RunOptions): Promise<Run> {
    const run = new Run(options);
    await run.#begin();
    return run;
  }

  end(why: 'cancelled' | 'shutdown'): void {
    this.#command?.end(why);
  }

  async #begin(): Promise<void> {
    const { work, directory, env, entry } = this.options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const started = await Command.start({
      command: work.command,
      directory,
      env,
      timeoutMs: work.timeoutMs,
      onOutput: (stream, data) => {
        this.#store(this.#pieces.add(stream, data));
        if (this.#pieces.waiting) this.#timer ??= setTimeout(() => this.#flush(), lingerMs(entry.spool.count));
      },
    });
    if (!(started instanceof Command)) {
      await entry.ended(endOf(started, this.#pieces.written, ''));
      return;
    }
    this.#command = started;
    this.ended = this.#ended(started);
    const mark = await markOf(started.pid);
    // Without it what an agent that dies leaves behind goes on by itself; the command itself is not to suffer from that.
    if (mark !== null) await entry.runsAs(mark).catch(() => undefined);
  }

  async #ended(command: Command): Promise<void> {
    const outcome = await command.outcome;
    this.#flush();
    await this.#storing;
    await this.options.entry.ended(endOf(outcome, this.#pieces.written, this.#cut));
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#store(this.#pieces.flush());
  }

  #store(pieces: ReturnType<Pieces['flush']>): void {
    if (pieces.length === 0) return;
    this.#storing = this.#storing
      .then(() => this.options.entry.spool.append(pieces))
      .catch((error) => {
        this.#cut = `Its output is cut, as the machine could not keep more: ${reasonOf(error)}.`.slice(0, 300);
        this.#pieces.stop();
      })
      .then(() => this.options.onOutput());
  }
}
