/**
 * The invariants of the design, told from what has happened and not from the code that keeps them. `outcome`: what an operator
 * or a client would suffer from. `rule`: what must not be done, whether or not it does harm this time.
 */

import { agentHeard, unpackExpired } from './observe.js';
import { isCommitted, machine } from './server.js';
import {
  answers,
  bit,
  Cond,
  count,
  type DeedKind,
  End,
  each,
  type Flight,
  isPrimary,
  Life,
  majority,
  membersOf,
  type State,
  votersOf,
} from './state.js';

export interface Wrong {
  readonly invariant: string;
  readonly kind: 'outcome' | 'rule';
}
const outcome = (invariant: string): Wrong => ({ invariant, kind: 'outcome' });
const rule = (invariant: string): Wrong => ({ invariant, kind: 'rule' });

export const LOST = outcome('9: an acknowledged write is lost');
export const TWO_PRIMARIES = outcome('9: two members are primary in one term');
export const STUCK = outcome('8: the change never ends');
export const DEFECT = outcome('8: the change ends in a defect');
export const HEALTHY_ENDED = outcome('6: a controller that answers is thrown away');
export const MEMBER_STOPPED = outcome('4: the mongod of a member is stopped');
export const SPLIT = outcome('6: a config is forced beside a voter that may come back');
export const TWO_VOTES = rule('1: more than one vote changes at once');
export const UNCOMMITTED = rule('1: a config follows one that is not on a majority');
export const NO_MAJORITY = rule('2: no majority of the new voters answers');
export const PRIMARY_VOTELESS = rule('5: a primary has no vote');
export const STILL_LOOKED_FOR = outcome('7: clients look for a controller that has stopped');
export const UNHEARD = rule('7: a controller stops before everybody has heard where else to look');
export const HASTY = outcome('6: a controller is ended that may only be starting again');
export const UNDONE = outcome('1: a late deed undoes what was done since');
export const NOT_AS_WANTED = outcome('4: at rest it is not as was wanted');
export const LEAVES_VOTING = rule('4: a member leaves the set with its vote');

/** What must be true of any state. */
export function wrongOf(state: State): Wrong | null {
  let newest = -1;
  for (const [i, m] of state.machines.entries()) {
    if (!isPrimary(m)) continue;
    if (newest >= 0 && machine(state, newest).term === m.term) return TWO_PRIMARIES;
    if (newest < 0 || m.term > machine(state, newest).term) newest = i;
    if ((votersOf(m.config) & bit(i)) === 0) return PRIMARY_VOTELESS;
  }
  if (newest < 0) return null;
  // One that others have left behind does not know it yet; nobody is told anything by it any more.
  const { term, log } = machine(state, newest);
  const leftBehind = state.machines.some((m) => m.cond !== Cond.ended && m.term > term);
  if (!leftBehind && !log.startsWith(state.acked)) return LOST;
  return null;
}

const isVoterIn = (config: number, i: number): boolean => (votersOf(config) & bit(i)) !== 0;

/** What must be true when member `at` takes a config: `before` is the state in which it did, `after` the one with it. */
export function wrongConfig(before: State, after: State, at: number, forced: boolean): Wrong | null {
  const [old, next] = [machine(before, at).config, machine(after, at).disk];
  if (forced) {
    // Nobody else may be able to elect a primary without this one, whatever config that is in.
    for (const [i, { config, cond }] of before.machines.entries()) {
      if (i === at || cond === Cond.ended || !isVoterIn(config, i)) continue;
      const standing = each(votersOf(config) & ~bit(at)).filter((j) => machine(before, j).cond !== Cond.ended);
      if (standing.length >= majority(votersOf(config))) return SPLIT;
    }
    // Who is silent may have another config and return with it; who answers must not be a majority without this one.
    const left = each(votersOf(old) & ~bit(at))
      .map((i) => machine(before, i))
      .filter((m) => m.cond !== Cond.ended);
    return left.every(answers) && left.length < majority(votersOf(old)) ? null : SPLIT;
  }
  if (count(votersOf(old) ^ votersOf(next)) > 1) return TWO_VOTES;
  if (!isCommitted(before, at)) return UNCOMMITTED;
  const there = each(votersOf(next)).filter((i) => answers(machine(before, i)));
  return there.length >= majority(votersOf(next)) ? null : NO_MAJORITY;
}

/** Members of the config that the newest primary has. */
function currentSet(state: State): { voters: number; members: number } | null {
  let best: number | null = null;
  for (const [i, m] of state.machines.entries()) {
    if (isPrimary(m) && answers(m) && (best === null || m.term > machine(state, best).term)) best = i;
  }
  if (best === null) return null;
  const { config } = machine(state, best);
  return { voters: votersOf(config), members: membersOf(config) };
}

/** The instance of machine `i` is ended on purpose, by somebody who acts on what was decided long ago. */
export function wrongEnd(state: State, i: number): Wrong | null {
  const set = currentSet(state);
  return answers(machine(state, i)) && set !== null && (set.voters & bit(i)) !== 0 ? HEALTHY_ENDED : null;
}

/**
 * The services of machine `i` stop, as its jobs are gone. Where a deed of another run may land, one without a vote may come back
 * into the set by it (`deedsMayLand`): nothing depends on that one, and the next plan removes it.
 */
export function wrongStop(state: State, i: number, deedsMayLand: boolean): Wrong | null {
  const set = currentSet(state);
  if (set !== null && ((deedsMayLand ? set.voters : set.members) & bit(i)) !== 0) return MEMBER_STOPPED;
  return (state.published & bit(i)) !== 0 ? STILL_LOOKED_FOR : null;
}

/** The change says that it is done: as many vote as were wanted, or an odd number where it only settles. */
export function wrongDone(state: State, controllers: number): Wrong | null {
  const set = currentSet(state);
  if (set === null) return NOT_AS_WANTED;
  const voting = count(set.voters);
  return (state.settle === 1 ? voting % 2 === 1 : voting === controllers) ? null : NOT_AS_WANTED;
}

/** A config is taken that a late deed about `mask` was decided on long ago: it may do what it was about, and nothing else. */
export function wrongLate(before: State, after: State, at: number, kind: DeedKind, mask: number): Wrong | null {
  const [old, next] = [machine(before, at).config, machine(after, at).disk];
  const voters = kind === 'grant-vote' ? votersOf(old) | mask : kind === 'withdraw-vote' ? votersOf(old) & ~mask : null;
  const members = kind === 'join' ? membersOf(old) | mask : kind === 'remove-members' ? membersOf(old) & ~mask : null;
  if ((voters ?? votersOf(old)) !== votersOf(next) || (members ?? membersOf(old)) !== membersOf(next)) return UNDONE;
  // Nobody is there any more to go on from an even number; who was told of an end with a reason does that.
  return before.end === End.done && count(votersOf(next)) % 2 === 0 ? NOT_AS_WANTED : null;
}

/** Documents are changed by a late deed when the change is done: nobody is there any more to put it right. */
export function wrongWhenDone(before: State, after: State): Wrong | null {
  const same =
    before.published === after.published &&
    before.machines.length === after.machines.length &&
    before.machines.every((m, i) => m.job === after.machines[i]?.job && m.life === after.machines[i]?.life);
  return before.end !== End.done || same ? null : NOT_AS_WANTED;
}

/** Addresses are published: only those of controllers. */
export const wrongAddresses = (after: State): Wrong | null =>
  after.machines.some((m, i) => (after.published & bit(i)) !== 0 && m.job === 0) ? STILL_LOOKED_FOR : null;

/** Jobs are taken away: every agent that is heard has the addresses of those that stay, or was waited for in vain. */
export function wrongDrop(before: State, after: State): Wrong | null {
  if (before.machines.every((m, i) => m.job === after.machines[i]?.job)) return null;
  const waited = before.expired.map(unpackExpired).filter((wait) => wait.for === 'agents');
  const unheard = before.machines.some(
    (m, i) =>
      agentHeard(m) &&
      m.heard === 0 &&
      m.life !== Life.dead &&
      !waited.some((wait) => wait.machines.includes(String(i))),
  );
  return unheard ? UNHEARD : null;
}

/** Members leave the set only without a vote. */
export const wrongLeave = (before: State, at: number, { kind, mask }: Flight): Wrong | null =>
  kind === 'remove-members' && (votersOf(machine(before, at).config) & mask) !== 0 ? LEAVES_VOTING : null;

/** Machines are written off. */
export function wrongVerdict(before: State, after: State): Wrong | null {
  const healthy = after.machines.some((m, i) => {
    const was = before.machines[i];
    return (
      was?.life === Life.alive && m.life === Life.dying && m.job === 1 && was.job === 1 && answers(m) && m.agent === 1
    );
  });
  return healthy ? HEALTHY_ENDED : null;
}
