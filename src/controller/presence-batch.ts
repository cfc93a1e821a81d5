import { log } from '../log/log.js';
import { isPassing } from '../state/passing.js';
import { type Beat, writePresence } from '../state/presence.js';
import type { State } from '../state/state.js';

const EVERY_MS = 100;

interface Waiting {
  readonly beat: Beat;
  readonly written: () => void;
}

/**
 * Collects beats and writes them together, ten times a second at most: the latest of each machine. What cannot be written
 * now, as there is no primary, is written once there is one, unless a later beat has taken its place.
 */
export class PresenceBatch {
  #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | null = null;
  #writing = false;
  #lastWrite = Number.NEGATIVE_INFINITY;

  constructor(private readonly state: State) {}

  add(beat: Beat, written: () => void): void {
    this.#waiting.set(beat.machine, { beat, written });
    this.#schedule();
  }

  /** A machine that is gone leaves no presence behind. */
  drop(machine: string): void {
    this.#waiting.delete(machine);
  }

  /** Writes what waits at once, for the last time. */
  async close(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    await this.#write();
  }

  #schedule(): void {
    if (this.#timer !== null || this.#writing || this.#waiting.size === 0) return;
    const wait = Math.max(0, EVERY_MS - (performance.now() - this.#lastWrite));
    this.#timer = setTimeout(() => void this.#write(), wait);
  }

  async #write(): Promise<void> {
    this.#timer = null;
    const batch = this.#waiting;
    if (batch.size === 0 || this.#writing) return;
    this.#waiting = new Map();
    this.#writing = true;
    this.#lastWrite = performance.now();
    try {
      await writePresence(
        this.state,
        [...batch.values()].map(({ beat }) => beat),
      );
      for (const { written } of batch.values()) written();
    } catch (error) {
      if (!isPassing(error)) log().error({ err: error }, 'Presence could not be written; it is a defect.');
      else for (const [machine, item] of batch) if (!this.#waiting.has(machine)) this.#waiting.set(machine, item);
    } finally {
      this.#writing = false;
      this.#schedule();
    }
  }
}
