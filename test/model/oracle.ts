/**
 * The invariants of the design, told from what has happened and not from the code that keeps them. `outcome`: what an operator
 * or a client would suffer from. `rule`: what must not be done, whether or not it does harm this time.
 */
import { isCommitted, machine } from './server.js';
import {
  answers,
  bit,
  Cond,
  count,
  each,
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

/** What must be true when member `at` takes a config: `before` is the state in which it did, `after` the one with it. */
export function wrongConfig(before: State, after: State, at: number, forced: boolean): Wrong | null {
  const [old, next] = [machine(before, at).config, machine(after, at).disk];
  if (forced) {
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

/** The services of machine `i` stop, as its jobs are gone. */
export function wrongStop(state: State, i: number): Wrong | null {
  const set = currentSet(state);
  if (set !== null && (set.members & bit(i)) !== 0) return MEMBER_STOPPED;
  return (state.published & bit(i)) !== 0 ? STILL_LOOKED_FOR : null;
}

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
