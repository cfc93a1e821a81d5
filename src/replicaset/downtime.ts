/**
 * How long members have not answered as one that acknowledges writes, or were cut off from the primary, as far as this process
 * has watched without a gap.
 */
import { answers, isCutOff } from '../membership/facts.js';
import type { Member, MemberId } from '../membership/types.js';

/** A look that comes later than this after the last one was no watching: nobody knows what was in between. */
const STALLED_MS = 5000;

export class Downtime {
  #down = new Map<MemberId, number>();
  #cutOff = new Map<MemberId, number>();
  #lastLook: number | null = null;

  /** To be called with each picture, at `now` on the monotonic clock; answers the same members with their times. */
  look(members: readonly Member[], now: number): readonly Member[] {
    const elapsed = this.#lastLook === null ? 0 : now - this.#lastLook;
    this.#lastLook = now;
    const lasting = (before: ReadonlyMap<MemberId, number>, isSo: (member: Member) => boolean) =>
      new Map(
        members.filter(isSo).map(({ id }) => {
          const ms = elapsed <= STALLED_MS ? before.get(id) : undefined;
          return [id, ms === undefined ? 0 : ms + elapsed];
        }),
      );
    this.#down = lasting(this.#down, (member) => !answers(member));
    this.#cutOff = lasting(this.#cutOff, isCutOff);
    return members.map((member) => {
      const cutOffMs = this.#cutOff.get(member.id);
      return { ...member, downMs: this.#down.get(member.id) ?? 0, ...(cutOffMs !== undefined && { cutOffMs }) };
    });
  }
}
