/** How long members have not answered as one that acknowledges writes, as far as this process has watched without a gap. */
import { answers } from '../membership/facts.js';
import type { Member, MemberId } from '../membership/types.js';

/** A look that comes later than this after the last one was no watching: nobody knows what was in between. */
const STALLED_MS = 5000;

export class Downtime {
  #down = new Map<MemberId, number>();
  #lastLook: number | null = null;

  /** To be called with each picture, at `now` on the monotonic clock; answers the same members with their `downMs`. */
  look(members: readonly Member[], now: number): readonly Member[] {
    const elapsed = this.#lastLook === null ? 0 : now - this.#lastLook;
    const before = elapsed <= STALLED_MS ? this.#down : new Map<MemberId, number>();
    this.#lastLook = now;
    this.#down = new Map(
      members
        .filter((member) => !answers(member))
        .map(({ id }) => [id, before.has(id) ? (before.get(id) as number) + elapsed : 0]),
    );
    return members.map((member) => ({ ...member, downMs: this.#down.get(member.id) ?? 0 }));
  }
}
