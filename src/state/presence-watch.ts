import type { PresenceDocument } from './documents.js';

/** A look that comes later than this after the last one was no watching: the observer itself stood still. */
const STALLED_MS = 2000;

/**
 * How long each agent has been silent: on this process's monotonic clock since its presence sequence number last changed,
 * and only while this process looked. Never a difference of two machines' clocks.
 */
export class PresenceWatch {
  #seen = new Map<string, { readonly seq: number; readonly session: string; readonly silentMs: number }>();
  #lastLook: number | null = null;
  #watchedMs = 0;

  /** To be called with what was just read, at `now`. While nobody can write presence it is not called, so nothing counts. */
  look(presence: readonly PresenceDocument[], now: number): void {
    const elapsed = this.#lastLook === null ? 0 : now - this.#lastLook;
    const counted = elapsed <= STALLED_MS ? elapsed : 0;
    this.#watchedMs = elapsed <= STALLED_MS ? this.#watchedMs + elapsed : 0;
    this.#lastLook = now;
    this.#seen = new Map(
      presence.map(({ _id, seq, session }) => {
        const before = this.#seen.get(_id);
        const silent = before !== undefined && before.seq === seq && before.session === session;
        return [_id, { seq, session, silentMs: silent ? before.silentMs + counted : 0 }];
      }),
    );
  }

  /** Milliseconds that were watched without a gap. */
  get watchedMs(): number {
    return this.#watchedMs;
  }

  /** Milliseconds of silence; 0 for one that was never seen. */
  silentMs(machine: string): number {
    return this.#seen.get(machine)?.silentMs ?? 0;
  }
}
