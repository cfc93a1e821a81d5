import { appendFile } from 'node:fs/promises';
import type { StatusReport, StatusTaken } from '../../api/status-log.js';
import { reasonOf } from '../../errors.js';
import { readIfThere, writePrivate } from '../../store/files.js';
import { SaidOnce, say } from '../say.js';
import {
  acknowledge,
  add,
  entryLine,
  NOTHING,
  nextOf,
  type Parsed,
  parseUnsent,
  takenLine,
  textOf,
  type Unsent,
} from './unsent.js';

/** Writes down that something of this machine is another way now; `status` in a word, `message` in a sentence. */
export type Note = (
  what: 'agent' | 'conf' | 'disk' | 'certificate' | 'mongod' | 'api' | 'worker',
  status: string,
  message: string,
) => void;

/** The file is written anew after so many lines, without those that are not needed any more. */
const LONGEST_FILE = 1000;

/**
 * What changed of this machine's status: written down on its disk, and sent through whichever controller is there, in order,
 * until a majority has it. It is not flushed: it must survive the agent, not the machine's power. What the disk does not
 * take is kept in memory and sent all the same.
 */
export class StatusLog {
  #unsent: Unsent;
  #lines: number;
  /** The file lacks something of what is kept, or has what is none. */
  #behind: boolean;
  #writing: Promise<void> = Promise.resolve();
  readonly #failures = new SaidOnce();
  #send: ((message: StatusReport) => boolean) | null = null;
  /** Entries are taken there, and those that were sent before are. */
  #turn = false;
  readonly #said = new Map<string, string>();

  private constructor(
    private readonly file: string,
    { entries, last, lines, whole }: Parsed,
  ) {
    this.#unsent = { entries, last };
    this.#lines = lines;
    this.#behind = !whole;
  }

  /** With what an earlier run of the agent left in the file; one that cannot be read holds nobody up. */
  static async open(file: string): Promise<StatusLog> {
    try {
      return new StatusLog(file, parseUnsent((await readIfThere(file)) ?? ''));
    } catch (error) {
      say(`What was to be told of this machine's status is lost: ${reasonOf(error)}`, 'warn');
      return new StatusLog(file, { ...NOTHING, lines: 0, whole: false });
    }
  }

  /** What is said twice on end is no change. */
  readonly note: Note = (what, status, message) => {
    const words = `${status} ${message}`;
    if (this.#said.get(what) === words) return;
    this.#said.set(what, words);
    const before = this.#unsent;
    this.#unsent = add(before, { what, status, message }, Date.now());
    const added = this.#unsent.entries.filter(({ number }) => number > before.last);
    // The oldest were left out.
    if (this.#unsent.entries.length < before.entries.length) this.#behind = true;
    this.#keep(added.map(entryLine).join(''));
    this.#step();
  };

  /** A connection to a controller is there; it may be one that takes no status. */
  connected(send: (message: StatusReport) => boolean): void {
    this.#send = send;
  }

  hear(taken: StatusTaken): void {
    // More than that was never sent, whatever is said.
    const upTo = Math.min(taken.upTo, this.#unsent.last);
    const before = this.#unsent.entries.length;
    this.#unsent = acknowledge(this.#unsent, upTo);
    if (this.#unsent.entries.length < before) this.#keep(takenLine(upTo));
    this.#turn = true;
    this.#step();
  }

  lost(): void {
    this.#send = null;
    this.#turn = false;
  }

  /** Resolves when the disk has what it takes. */
  async close(): Promise<void> {
    await this.#writing;
  }

  #step(): void {
    const entries = nextOf(this.#unsent);
    if (!this.#turn || entries.length === 0) return;
    this.#turn = !(this.#send?.({ type: 'status-log', entries }) ?? false);
  }

  #keep(lines: string): void {
    this.#writing = this.#writing.then(() => this.#write(lines));
  }

  async #write(lines: string): Promise<void> {
    try {
      if (this.#behind || this.#lines >= LONGEST_FILE) {
        await writePrivate(this.file, textOf(this.#unsent));
        this.#lines = 0;
      } else {
        await appendFile(this.file, lines, { mode: 0o600 });
        this.#lines += 1;
      }
      this.#behind = false;
      this.#failures.over();
    } catch (error) {
      this.#behind = true;
      this.#failures.say(`This machine's status is kept in memory alone: ${reasonOf(error)}`, 'warn');
    }
  }
}
