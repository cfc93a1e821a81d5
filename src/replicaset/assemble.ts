/** One picture of the replica set from what its members answered, each for itself. Pure; the asking is in observe.ts. */
import { compareOpTimes, majority } from '../membership/facts.js';
import type { Member, MemberState, OpTime, ReplicaSet } from '../membership/types.js';
import { timingsOf } from './reconfig.js';
import {
  type Hello,
  isNewer,
  type MemberConfig,
  NO_TERM,
  newestPrimary,
  opTime,
  type SetConfig,
  type SetStatus,
  type StatusMember,
  termOfConfig,
} from './wire.js';

/** What one member answered. Status and config are null when it answers, but lets nobody look (it has no users yet). */
export interface Answer {
  readonly host: string;
  readonly hello: Hello;
  readonly status: SetStatus | null;
  readonly config: SetConfig | null;
  /** The primary's own word on whether its config, and all acknowledged before it, is on a majority. */
  readonly committed: boolean | null;
}

/** The answer whose config counts: the primary's, else the newest. */
export interface Basis {
  readonly config: SetConfig;
  /** The writable primary of the newest term, when it answered. */
  readonly primary: Answer | null;
}

/** null when nobody showed a config. */
export function basisOf(answers: readonly Answer[]): Basis | null {
  const primary = answers
    .filter((a) => a.hello.isWritablePrimary && a.status !== null && a.config !== null)
    .sort((a, b) => termOf(b) - termOf(a))[0];
  if (primary?.config && termOf(primary) >= Math.max(...answers.map(termOf)))
    return { config: primary.config, primary };
  const newest = answers.flatMap((a) => a.config ?? []).sort((a, b) => (isNewer(a, b) ? -1 : 1))[0];
  return newest === undefined ? null : { config: newest, primary: null };
}

/** The primary's applied optime in its answer. */
export function referenceOf({ primary }: Basis): OpTime | null {
  return primary?.status ? opTime(primary.status.optimes.appliedOpTime) : null;
}

/**
 * The picture. `optimes` were read from the members themselves, after `basis` had been read; `notes` as in `ReplicaSet`.
 */
export function assemble(
  basis: Basis,
  answers: readonly Answer[],
  optimes: ReadonlyMap<string, OpTime>,
  notes: ReplicaSet['notes'],
): ReplicaSet {
  const { config } = basis;
  const reference = referenceOf(basis);
  const primary = seenPrimary(basis, answers);
  return {
    version: config.version,
    term: termOfConfig(config),
    committed: basis.primary === null ? committedBy(config, answers) : basis.primary.committed === true,
    primary: primary?._id ?? null,
    members: config.members.map((m) => memberOf(m, basis, answers, optimes, reference)),
    reference,
    unsettled: unsettled(basis, answers, primary),
    notes,
    timings: timingsOf(config),
  };
}

function termOf(answer: Answer): number {
  return Number(answer.status?.term ?? -1);
}

function viewOf(status: SetStatus | null | undefined, host: string): StatusMember | undefined {
  return status?.members.find((m) => m.name === host);
}

/** Milliseconds since a member heard another one, by its own clock. */
function unheardMs(status: SetStatus, { self, lastHeartbeatRecv }: StatusMember): number {
  if (self) return 0;
  return lastHeartbeatRecv === undefined
    ? Number.POSITIVE_INFINITY
    : status.date.getTime() - lastHeartbeatRecv.getTime();
}

/** Whoever is unheard for longer is not reached. */
const missedMs = (status: SetStatus): number => 2 * Number(status.heartbeatIntervalMillis) + 1000;

/** A member's heartbeats reach another one; its word `health` alone lags by 10 s. */
function reached(status: SetStatus, view: StatusMember): boolean {
  return view.self === true || (view.health === 1 && unheardMs(status, view) < missedMs(status));
}

/**
 * The member as it says itself, or as another one hears it, where the primary has missed it since; null where it is in touch
 * with the primary, or nobody hears it. What dies or freezes is missed by all of them at the same time, so it is not taken
 * for one that is cut off because some notice later than others.
 */
function heardElsewhere({ primary }: Basis, host: string, answers: readonly Answer[]): StatusMember | null {
  const missed = viewOf(primary?.status, host);
  if (primary === null || primary.status === null || missed === undefined || primary.host === host) return null;
  const limitMs = unheardMs(primary.status, missed) - missedMs(primary.status);
  const heard = answers.flatMap(({ status }) => {
    const view = viewOf(status, host);
    if (status === null || view === undefined || !reached(status, view)) return [];
    return unheardMs(status, view) < limitMs ? [view] : [];
  });
  return heard.find(({ self }) => self) ?? heard[0] ?? null;
}

/** Whom a majority of the voters takes for the primary; a voter that did not answer us counts where the primary reaches it. */
function seenPrimary({ config, primary }: Basis, answers: readonly Answer[]): MemberConfig | null {
  const voters = config.members.filter((m) => m.votes > 0);
  const newest = Math.max(...answers.map(termOf));
  const supports = (voter: MemberConfig, candidate: MemberConfig): boolean => {
    const answer = answers.find((a) => a.host === voter.host);
    if (answer?.status) {
      return termOf(answer) === newest && newestPrimary(answer.status)?.name === candidate.host;
    }
    const view = primary?.host === candidate.host ? viewOf(primary.status, voter.host) : undefined;
    return view !== undefined && primary?.status != null && reached(primary.status, view);
  };
  const seen = (candidate: MemberConfig) =>
    voters.filter((voter) => supports(voter, candidate)).length >= majority(voters.length);
  return voters.find(seen) ?? null;
}

/** Without a primary: a majority of the voters has told us that it holds exactly this config. */
function committedBy(config: SetConfig, answers: readonly Answer[]): boolean {
  const voters = config.members.filter((m) => m.votes > 0);
  const same = (c: SetConfig | null) => c?.version === config.version && c.term === config.term;
  const holders = voters.filter((v) => same(answers.find((a) => a.host === v.host)?.config ?? null));
  return holders.length >= majority(voters.length);
}

function unsettled(basis: Basis, answers: readonly Answer[], primary: MemberConfig | null): string | null {
  const writable = basis.primary;
  if (basis.config.members.some((m) => m.newlyAdded)) return 'MongoDB is still giving a new member its vote';
  if (writable === null)
    return primary === null ? null : `the primary ${primary.host} does not answer or takes no writes yet`;
  if (primary?.host !== writable.host) return `a majority does not know yet that ${writable.host} is primary`;
  const term = termOfConfig(basis.config);
  if (term !== NO_TERM && term !== termOf(writable))
    return 'the new primary has not written its term into the configuration yet';
  const rival = answers.find((a) => a !== writable && a.hello.isWritablePrimary);
  return rival === undefined ? null : `${rival.host} still takes itself for the primary`;
}

function memberOf(
  member: MemberConfig,
  basis: Basis,
  answers: readonly Answer[],
  optimes: ReadonlyMap<string, OpTime>,
  reference: OpTime | null,
): Member {
  const { primary } = basis;
  const answer = answers.find((a) => a.host === member.host);
  const view = viewOf(primary?.status, member.host);
  const reachedByPrimary = view !== undefined && primary?.status != null && reached(primary.status, view);
  const cutOff = heardElsewhere(basis, member.host, answers);
  const healthy = answer !== undefined || reachedByPrimary || cutOff !== null;
  const own = answer?.status?.members.find((m) => m.self);
  const optime = optimes.get(member.host) ?? null;
  return {
    id: member._id,
    machine: member.tags?.machine ?? null,
    host: member.host,
    votes: member.votes > 0 ? 1 : 0,
    priority: member.priority,
    state: stateOf((own ?? cutOff)?.stateStr ?? (healthy || view?.health !== 1 ? view?.stateStr : undefined)),
    healthy,
    ...(cutOff !== null && { cutOffMs: 0 }),
    optime,
    lagMs: optime === null || reference === null ? null : lagMs(optime, reference),
    downMs: 0,
  };
}

const STATES: readonly MemberState[] = [
  'STARTUP',
  'PRIMARY',
  'SECONDARY',
  'RECOVERING',
  'STARTUP2',
  'UNKNOWN',
  'ARBITER',
  'DOWN',
  'ROLLBACK',
  'REMOVED',
];

function stateOf(stateStr: string | undefined): MemberState {
  if (stateStr === '(not reachable/healthy)') return 'DOWN';
  return STATES.find((s) => s === stateStr) ?? 'UNKNOWN';
}

/** In whole seconds, as optimes are counted; 0 only for one that has reached the reference. */
function lagMs(optime: OpTime, reference: OpTime): number {
  if (compareOpTimes(optime, reference) >= 0) return 0;
  return Math.max(1, (reference.s - optime.s) * 1000);
}
