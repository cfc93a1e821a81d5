import { mkdir, open, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { ProcessMark } from '../../process.js';
import type { CommandEnd } from '../../state/operation-states.js';
import { privateDirectory, readIfThere, writePrivate } from '../../store/files.js';
import { Spool } from './spool.js';

/** What this machine's disk holds of one operation: that it was begun, what it wrote, how it ended. */
export class JournalEntry {
  #end: CommandEnd | null;

  private constructor(
    readonly id: number,
    private readonly directory: string,
    readonly spool: Spool,
    end: CommandEnd | null,
  ) {
    this.#end = end;
  }

  /**
   * Writes down that it begins. Resolves when that would survive a power cut, and only then may it be begun; rejects when
   * it could not be written, or was before.
   */
  static async begin(root: string, id: number): Promise<JournalEntry> {
    const directory = directoryOf(root, id);
    await privateDirectory(root);
    // Not twice: what is there already was begun.
    await mkdir(directory, { mode: 0o700 });
    await writePrivate(begunFile(directory), JSON.stringify({ id }));
    for (const each of [directory, root]) await sync(each);
    return new JournalEntry(id, directory, await Spool.open(outputFile(directory)), null);
  }

  /** All that were begun and are not forgotten yet. */
  static async all(root: string): Promise<JournalEntry[]> {
    await privateDirectory(root);
    const entries: JournalEntry[] = [];
    for (const name of await readdir(root)) {
      const directory = path.join(root, name);
      if ((await readIfThere(begunFile(directory))) === null) {
        // It had not begun to begin, or was being forgotten.
        await rm(directory, { recursive: true, force: true });
        continue;
      }
      const end = await readIfThere(endFile(directory));
      const spool = await Spool.open(outputFile(directory));
      entries.push(new JournalEntry(Number(name), directory, spool, end === null ? null : JSON.parse(end)));
    }
    return entries;
  }

  get end(): CommandEnd | null {
    return this.#end;
  }

  /** Whose process it is, for the agent that comes after this one. */
  async runsAs(mark: ProcessMark): Promise<void> {
    await writePrivate(processFile(this.directory), JSON.stringify(mark));
  }

  async process(): Promise<ProcessMark | null> {
    const text = await readIfThere(processFile(this.directory));
    return text === null ? null : (JSON.parse(text) as ProcessMark);
  }

  /** Writes down how it ended; the first end stands. */
  async ended(end: CommandEnd): Promise<void> {
    if (this.#end !== null) return;
    try {
      await writePrivate(endFile(this.directory), JSON.stringify(end));
    } finally {
      // Known is known: without room on the disk it is still told, as long as this agent lives.
      this.#end = end;
    }
  }

  /** Removes it, once the environment knows all of it. */
  async forget(): Promise<void> {
    await this.spool.close();
    await rm(begunFile(this.directory), { force: true });
    await rm(this.directory, { recursive: true, force: true });
  }
}

const directoryOf = (root: string, id: number) => path.join(root, String(id));
const begunFile = (directory: string) => path.join(directory, 'begun.json');
const processFile = (directory: string) => path.join(directory, 'process.json');
const endFile = (directory: string) => path.join(directory, 'end.json');
const outputFile = (directory: string) => path.join(directory, 'output');

/** A new name in a directory survives a power cut only once the directory is flushed. */
async function sync(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
