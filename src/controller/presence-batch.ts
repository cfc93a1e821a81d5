import { log } from '../log/log.js';
import { isPassing } from '../state/passing.js';
import { type Beat, writePresence } from '../state/presence.js';
import type { State } from '../state/state.js';
import type { RollCall } from './roll-call.js';

/** While nothing changes: who beats has beaten twice meanwhile. */
const EVERY_MS = 1000;
/** News is written this soon, and a millisecond later for each agent here: thousands that come at once are few writes. */
const SOON_MS = 100;

interface Waiting {
  readonly beat: Beat;
  readonly written: () => void;
}

/**
 * Collects beats and writes them together with the roll: the latest of each machine, once a second, and sooner where there
 * is news. What cannot be written now, as there is no primary, is written once there is one, unless a later beat has taken
 * its place.
 */
export class PresenceBatch {
  #waiting = new Map<string, Waiting>();
  #news = false;
  #timer: NodeJS.Timeout | null = null;
  #due = Number.POSITIVE_INFINITY;
  #writing = false;
  #lastWrite = Number.NEGATIVE_INFINITY;
  /** Version of the roll that was written last; one that is empty and was never written stays away. */
  #rollWritten = 0;

  /** @param machine the API server's own */
  constructor(
    private readonly state: State,
    private readonly machine: string,
    private readonly rollCall: RollCall,
  ) {}

  /** @param news it says something that was not known */
  add(beat: Beat, news: boolean, written: () => void): void {
    this.#waiting.set(beat.machine, { beat, written });
    this.#news ||= news;
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

  /** When what waits is to be written; infinity while there is nothing. */
  #next(): number {
    const { size } = this.rollCall;
    if (this.#news) return this.#lastWrite + Math.min(EVERY_MS, Math.max(SOON_MS, size));
    const quiet = this.#waiting.size === 0 && size === 0 && this.rollCall.roll().version === this.#rollWritten;
    return quiet ? Number.POSITIVE_INFINITY : this.#lastWrite + EVERY_MS;
  }

  #schedule(): void {
    if (this.#writing) return;
    const due = this.#next();
    if (due >= this.#due) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => void this.#write(), Math.max(0, due - performance.now()));
  }

  async #write(): Promise<void> {
    this.#timer = null;
    this.#due = Number.POSITIVE_INFINITY;
    if (this.#writing) return;
    const batch = this.#waiting;
    const roll = this.rollCall.roll();
    const news = this.#news;
    const isRollDue = roll.machines.length > 0 || roll.version !== this.#rollWritten;
    this.#waiting = new Map();
    this.#news = false;
    this.#writing = true;
    this.#lastWrite = performance.now();
    try {
      await writePresence(
        this.state,
        [...batch.values()].map(({ beat }) => beat),
        isRollDue ? { machine: this.machine, roll } : undefined,
      );
      this.#rollWritten = roll.version;
      for (const { written } of batch.values()) written();
    } catch (error) {
      if (!isPassing(error)) log().error({ err: error }, 'Presence could not be written; it is a defect.');
      else {
        for (const [machine, item] of batch) if (!this.#waiting.has(machine)) this.#waiting.set(machine, item);
        this.#news ||= news;
      }
    } finally {
      this.#writing = false;
      this.#schedule();
    }
  }
}
