import type { MachineId } from '../src/membership/types.js';
import type { PresenceDocument } from '../src/state/documents.js';

/** A look that comes this late after the last one was no watching: the observer itself stood still. */
const OBSERVER_STALLED_MS = 2000;

/**
 * How long each agent has been silent: on this process's monotonic clock since its presence sequence number last changed,
 * and only while this process looked and presence could be written. Never a difference of two machines' clocks.
 */
export class PresenceWatch {
  readonly #seen = new Map<MachineId, { seq: number; session: string; silentMs: number }>();
  #lastLook: number | null = null;
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** To be called with what was just read; `writable` false while nobody could have written presence. */
  look(presence: readonly PresenceDocument[], writable: boolean): ReadonlyMap<MachineId, number> {
    const now = this.#now();
    const since = this.#lastLook === null ? 0 : now - this.#lastLook;
    const counted = writable && since <= OBSERVER_STALLED_MS ? since : 0;
    this.#lastLook = now;
    for (const { _id, seq, session } of presence) {
      const before = this.#seen.get(_id);
      const silent = before !== undefined && before.seq === seq && before.session === session;
      this.#seen.set(_id, { seq, session, silentMs: silent ? before.silentMs + counted : 0 });
    }
    const there = new Set(presence.map(({ _id }) => _id));
    for (const machine of this.#seen.keys()) if (!there.has(machine)) this.#seen.delete(machine);
    return new Map([...this.#seen].map(([machine, { silentMs }]) => [machine, silentMs]));
  }
}
