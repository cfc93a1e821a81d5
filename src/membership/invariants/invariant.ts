/** What an invariant is, and the words that several of them reason in. */
import { isReconfig, membersAfter } from '../config.js';
import { isHealthy, isVoter, machineOf } from '../facts.js';
import { isStaying, type Situation } from '../situation.js';
import { blocked } from '../steps.js';
import type { Deed, Member, Step } from '../types.js';
import { verdict } from '../verdict.js';

/** A question about a deed, and what is answered instead when it does not hold: the wait, the step that has to go before, or a refusal. */
export interface Invariant {
  /** Short and stable: the model's mutants are "the planner without this one". */
  readonly name: string;
  readonly says: string;
  holds(situation: Situation, deed: Deed): boolean;
  instead(situation: Situation, deed: Deed): Step;
}

/** The deed itself is wrong, whatever is waited for: a defect of the planner, stopped here. */
export const refused = (what: string) => (): Step =>
  blocked(
    `A step was refused because it ${what}.`,
    'This is a defect: please report it with the output of quorate show-change.',
  );

/** The one exception to the rules of ordinary reconfigs: what helps the survivor of two. It has rules of its own. */
export const isForced = (deed: Deed): deed is Extract<Deed, { kind: 'force-survivor' | 'terminate' }> =>
  deed.kind === 'force-survivor' || deed.kind === 'terminate';

/** A reconfig as MongoDB means it, which waits for majorities. */
export const isOrdinary = (deed: Deed): boolean => isReconfig(deed) && !isForced(deed);

export const votersAfter = ({ observed, set }: Situation, deed: Deed): readonly Member[] =>
  membersAfter(observed, set, deed).filter(isVoter);

export const machinesIn = (members: readonly Member[]): readonly string[] =>
  members.flatMap((member) => member.machine ?? []);

/** A voter that does not count as healthy and loses its vote in this change too: nobody waits for it. */
export function isGoing(situation: Situation, member: Member): boolean {
  const { observed, expired } = situation;
  if (isHealthy(observed, member)) return false;
  const machine = machineOf(observed, member.machine);
  return !isStaying(situation, member) || (machine !== undefined && verdict(observed, machine, expired) === 'stale');
}
