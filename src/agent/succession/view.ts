/** How this machine's own mongod sees the set: all that a succession is decided from, beside the watch on the primary. Pure. */
import { compareOpTimes } from '../../membership/facts.js';
import { order } from '../../membership/succession.js';
import type { MemberId, OpTime } from '../../membership/types.js';
import { newestPrimary, opTime, type SetConfig, type SetStatus } from '../../replicaset/wire.js';

export interface View {
  readonly self: MemberId;
  readonly term: number;
  readonly state: string;
  readonly primary: MemberId | null;
  /** Own applied optime. */
  readonly optime: OpTime;
  /** The primary's, by the last heartbeat. */
  readonly primaryOptime: OpTime | null;
  readonly syncSource: MemberId | null;
  readonly heartbeatMs: number;
  readonly members: readonly ViewMember[];
}

export interface ViewMember {
  readonly id: MemberId;
  readonly host: string;
  readonly votes: number;
  readonly priority: number;
  readonly zone: string;
  readonly well: boolean;
}

/** null when this member is not in the config. */
export function viewOf(status: SetStatus, config: SetConfig): View | null {
  const own = status.members.find((m) => m.self);
  if (own === undefined) return null;
  const primary = newestPrimary(status);
  const source = status.members.find((m) => m.name === status.syncSourceHost);
  return {
    self: own._id,
    term: Number(status.term),
    state: own.stateStr,
    primary: primary?._id ?? null,
    optime: opTime(status.optimes.appliedOpTime),
    primaryOptime: primary?.optime === undefined ? null : opTime(primary.optime),
    syncSource: source?._id ?? null,
    heartbeatMs: Number(status.heartbeatIntervalMillis),
    members: config.members.map((m) => {
      const seen = status.members.find((s) => s._id === m._id);
      const well = seen?.health === 1 && (seen.stateStr === 'PRIMARY' || seen.stateStr === 'SECONDARY');
      return { id: m._id, host: m.host, votes: m.votes, priority: m.priority, zone: m.tags?.zone ?? '', well };
    }),
  };
}

export function hostOf(view: View, id: MemberId): string | null {
  return view.members.find((m) => m.id === id)?.host ?? null;
}

/** Those that stand up earlier than this one after this primary, in their order; null when this one cannot stand up at all. */
export function before(view: View, primary: MemberId): readonly MemberId[] | null {
  const members = order({ primary, members: view.members });
  const rank = members.indexOf(view.self);
  return rank < 0 ? null : members.slice(0, rank);
}

/** Further behind than this (seconds), others have what it lacks. */
const FAR_BEHIND_SECONDS = 2;

/**
 * Near enough to the lost primary to stand up at all. Whether it really holds all that was acknowledged is for the voters to
 * say, who refuse one that has less than they have: the last writes of a dead primary may be nowhere.
 */
export function nearEnough({ optime, primaryOptime }: View): boolean {
  if (primaryOptime === null || compareOpTimes(optime, primaryOptime) >= 0) return true;
  return primaryOptime.s - optime.s <= FAR_BEHIND_SECONDS;
}

/** Slack for a heartbeat that comes a little late. */
const LATE_MS = 100;

/**
 * Whether another member's own status confirms that the primary is silent: it has heard nothing of it either for longer than a
 * heartbeat, on its own clock.
 */
export function confirmsSilence(status: SetStatus, primary: MemberId): boolean {
  const seen = status.members.find((m) => m._id === primary);
  if (seen === undefined || seen.self || status.members.some((m) => m.stateStr === 'PRIMARY' && m !== seen))
    return false;
  const heard = Math.max(seen.lastHeartbeat?.getTime() ?? 0, seen.lastHeartbeatRecv?.getTime() ?? 0);
  return status.date.getTime() - heard > Number(status.heartbeatIntervalMillis) + LATE_MS;
}
