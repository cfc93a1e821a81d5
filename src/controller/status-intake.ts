import { reasonOf } from '../errors.js';
import { log } from '../log/log.js';
import { persist } from '../state/retry.js';
import { prepareCollection } from '../state/schema.js';
import type { State } from '../state/state.js';
import type { StatusEntry } from '../state/status-documents.js';
import { writeStatus } from '../state/status-log.js';

/** Between two writes: who has more to say is told so often that the first of it is written. */
const EVERY_MS = 1000;
/** Thousands of agents may start at once. */
const SOON_MS = 100;
/** Entries of one write, unless it is one agent's. */
const BATCH = 1000;

interface Waiting {
  readonly entries: readonly StatusEntry[];
  readonly taken: () => void;
}

/**
 * Writes what agents say of their status, together and at most once a second, whatever the number of agents. What cannot be
 * written now waits; nothing is lost with this controller, as an agent sends again what it was not told to be written.
 */
export class StatusIntake {
  readonly #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | null = null;
  #writing = false;
  #lastWrite = Number.NEGATIVE_INFINITY;
  #prepared = false;
  #closed = false;

  constructor(private readonly state: State) {}

  /** Takes entries, in the place of what the same agent has waiting from an earlier connection. `taken`: a majority has them. */
  take(machine: string, entries: readonly StatusEntry[], taken: () => void): void {
    this.#waiting.set(machine, { entries, taken });
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#timer !== null || this.#writing || this.#closed || this.#waiting.size === 0) return;
    const inMs = Math.max(SOON_MS, this.#lastWrite + EVERY_MS - performance.now());
    this.#timer = setTimeout(() => void this.#write(), inMs);
  }

  async #write(): Promise<void> {
    this.#timer = null;
    this.#writing = true;
    this.#lastWrite = performance.now();
    try {
      for (const batch of batches([...this.#waiting])) {
        await persist(this.state, () => this.#insert(batch));
        for (const [machine, item] of batch) {
          if (this.#waiting.get(machine) === item) this.#waiting.delete(machine);
          item.taken();
        }
      }
    } catch (error) {
      log().warn(`the status of ${this.#waiting.size} machines could not be written yet: ${reasonOf(error)}`);
    } finally {
      this.#writing = false;
      this.#schedule();
    }
  }

  async #insert(batch: readonly (readonly [string, Waiting])[]): Promise<void> {
    // An environment that was seeded by an older version has none, and one that is made by the way is never cleared.
    if (!this.#prepared) await prepareCollection(this.state.db, 'statusLog');
    this.#prepared = true;
    const refused = await writeStatus(
      this.state,
      batch.map(([machine, { entries }]) => ({ machine, entries })),
    );
    if (refused > 0) log().error(`status log: ${refused} entries are none, and were not kept; it is a defect`);
  }
}

function* batches(waiting: readonly (readonly [string, Waiting])[]) {
  let batch: (readonly [string, Waiting])[] = [];
  let size = 0;
  for (const one of waiting) {
    batch.push(one);
    size += one[1].entries.length;
    if (size < BATCH) continue;
    yield batch;
    batch = [];
    size = 0;
  }
  if (batch.length > 0) yield batch;
}
