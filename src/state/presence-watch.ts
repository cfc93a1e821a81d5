import type { PresenceDocument } from './documents.js';

/** A look that comes later than this after the last one was no watching: the observer itself stood still. */
const STALLED_MS = 2000;

/** Every agent beats once a second: when nobody's presence was written for longer than this, nobody's could be. */
const UNWRITTEN_MS = 3000;

/** What rises as long as somebody is there. */
export type Pulse = Pick<PresenceDocument, '_id' | 'seq' | 'session'>;

interface Seen {
  readonly seq: number;
  readonly session: string;
  readonly silentMs: number;
  readonly missedMs: number;
}

/** Silence in milliseconds, and how much of it may be held against somebody. */
export interface Totals {
  readonly silentMs: number;
  readonly missedMs: number;
}

/**
 * How long each agent has been silent: on this process's monotonic clock since its presence sequence number last changed,
 * and only while this process looked. Never a difference of two machines' clocks.
 */
export class PresenceWatch {
  #seen = new Map<string, Seen>();
  #lastLook: number | null = null;
  #watchedMs = 0;
  /** Milliseconds that were watched since anybody's presence was written. */
  #unwrittenMs = 0;
  #totals: Totals = { silentMs: 0, missedMs: 0 };

  /** To be called with what was just read, at `now`. While nobody can write presence it is not called, so nothing counts. */
  look(presence: readonly Pulse[], now: number): void {
    const elapsed = this.#lastLook === null ? 0 : now - this.#lastLook;
    const watched = elapsed <= STALLED_MS;
    const counted = watched ? elapsed : 0;
    this.#watchedMs = watched ? this.#watchedMs + elapsed : 0;
    this.#unwrittenMs = watched ? this.#unwrittenMs + elapsed : 0;
    this.#lastLook = now;
    const written = presence.some((beat) => !this.#isSilent(beat));
    const missed = written && this.#unwrittenMs <= UNWRITTEN_MS ? this.#unwrittenMs : 0;
    if (written) this.#unwrittenMs = 0;
    this.#totals = { silentMs: this.#totals.silentMs + counted, missedMs: this.#totals.missedMs + missed };
    this.#seen = new Map(
      presence.map((beat) => {
        const { _id, seq, session } = beat;
        const before = this.#isSilent(beat) ? this.#seen.get(_id) : undefined;
        const silentMs = before === undefined ? 0 : before.silentMs + counted;
        const missedMs = before === undefined ? 0 : before.missedMs + missed;
        return [_id, { seq, session, silentMs, missedMs }];
      }),
    );
  }

  /** Milliseconds that were watched without a gap. */
  get watchedMs(): number {
    return this.#watchedMs;
  }

  /** What one would have by now that was silent all the time. */
  get totals(): Totals {
    return this.#totals;
  }

  /** Milliseconds of silence; 0 for one that was never seen. */
  silentMs(machine: string): number {
    return this.#seen.get(machine)?.silentMs ?? 0;
  }

  /** Milliseconds of that silence in which somebody else's presence was written: the rest says nothing of the agent. */
  missedMs(machine: string): number {
    return this.#seen.get(machine)?.missedMs ?? 0;
  }

  /** How many have been silent for so long or longer, and how many have not. */
  count(silentMs: number): { readonly heard: number; readonly silent: number } {
    let silent = 0;
    for (const seen of this.#seen.values()) if (seen.silentMs >= silentMs) silent += 1;
    return { heard: this.#seen.size - silent, silent };
  }

  #isSilent({ _id, seq, session }: Pulse): boolean {
    const before = this.#seen.get(_id);
    return before !== undefined && before.seq === seq && before.session === session;
  }
}
