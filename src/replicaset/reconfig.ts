/** The next config, as pure functions of the current one. Each answers the same config again when there is nothing to do. */
import { sameTimings } from '../membership/facts.js';
import type { MachineId, MemberId, Timings } from '../membership/types.js';
import type { MemberConfig, SetConfig } from './wire.js';

/** Who joins: its member ID is new, its data directory empty. */
export interface Joiner {
  readonly machine: MachineId;
  readonly memberId: MemberId;
  readonly host: string;
  readonly zone: string;
}

/** The member's ID, host, votes, priority and tags are ours; everything else is MongoDB's to default. */
export function memberConfig(joiner: Joiner, votes: 0 | 1): MemberConfig {
  const { memberId, host, machine, zone } = joiner;
  const tags = zone === '' ? { machine } : { machine, zone };
  return { _id: memberId, host, votes, priority: votes, tags };
}

/** All of them at once, without votes: no majority changes. Those that are members already stay as they are. */
export function join(config: SetConfig, joiners: readonly Joiner[]): SetConfig {
  const missing = joiners.filter((j) => !config.members.some((m) => m._id === j.memberId && m.host === j.host));
  if (missing.length === 0) return config;
  return { ...config, members: [...config.members, ...missing.map((j) => memberConfig(j, 0))] };
}

/** One vote for one member, with the same priority as everyone's. */
export function grantVote(config: SetConfig, member: MemberId): SetConfig {
  return setVote(config, member, 1);
}

/** The member stays and follows, without a vote. */
export function withdrawVote(config: SetConfig, member: MemberId): SetConfig {
  return setVote(config, member, 0);
}

/** Without these members, who had no vote. */
export function removeMembers(config: SetConfig, members: readonly MemberId[]): SetConfig {
  if (!config.members.some((m) => members.includes(m._id))) return config;
  return { ...config, members: config.members.filter((m) => !members.includes(m._id)) };
}

/** These voters get the priority that every voter has, so that MongoDB's own elections prefer nobody. */
export function equalPriority(config: SetConfig, members: readonly MemberId[]): SetConfig {
  const preferred = (m: MemberConfig) => members.includes(m._id) && m.votes > 0 && m.priority !== 1;
  if (!config.members.some(preferred)) return config;
  return { ...config, members: config.members.map((m) => (preferred(m) ? { ...m, priority: 1 } : m)) };
}

/** What a config says of its set's timings. */
export function timingsOf({ settings }: SetConfig): Timings {
  return {
    heartbeatMs: Number(settings?.heartbeatIntervalMillis),
    electionMs: Number(settings?.electionTimeoutMillis),
  };
}

/** The settings of a config that follow from the timings. */
export function timingSettings({ heartbeatMs, electionMs }: Timings) {
  return {
    heartbeatIntervalMillis: heartbeatMs,
    electionTimeoutMillis: electionMs,
    // A reconfig asks every member and waits this long for a frozen one, whatever its own time limit.
    heartbeatTimeoutSecs: Math.min(10, Math.max(2, Math.ceil(electionMs / 1000))),
  };
}

/** The same members with other timings. */
export function setTimings(config: SetConfig, timings: Timings): SetConfig {
  if (sameTimings(timingsOf(config), timings)) return config;
  return { ...config, settings: { ...config.settings, ...timingSettings(timings) } };
}

function setVote(config: SetConfig, member: MemberId, vote: 0 | 1): SetConfig {
  const current = config.members.find((m) => m._id === member);
  if (current === undefined || (current.votes === vote && current.priority === vote)) return config;
  return {
    ...config,
    members: config.members.map((m) => (m._id === member ? { ...m, votes: vote, priority: vote } : m)),
  };
}

/** IDs of the members whose vote differs, who came with one or left with one: at most one of them, ever (invariant 1). */
export function voteChanges(from: SetConfig, to: SetConfig): MemberId[] {
  const votes = (config: SetConfig, id: MemberId) => config.members.find((m) => m._id === id)?.votes ?? 0;
  const ids = new Set([...from.members, ...to.members].map((m) => m._id));
  return [...ids].filter((id) => votes(from, id) !== votes(to, id));
}

/** What is sent: exactly the next version, without the term and the marks that MongoDB sets itself. */
export function sendable({ term: _, ...config }: SetConfig, version: number): SetConfig {
  return {
    ...config,
    version,
    members: config.members.map(({ newlyAdded: _mark, ...member }) => member as MemberConfig),
  };
}
