/** The steps that move votes, with the hand-over that goes before them. */
import { isCaughtUp, isCutOff, machineOf } from './facts.js';
import { isStaying, type Situation } from './situation.js';
import { act, blocked } from './steps.js';
import { order } from './succession.js';
import type { MachineId, Member, Step } from './types.js';
import { capital, memberText } from './words.js';

export const grant = (situation: Situation, member: Member): Step =>
  act(
    situation,
    { kind: 'grant-vote', member: member.id, machine: member.machine as MachineId },
    'It holds all that the primary holds.',
  );

/** Withdraws a vote; that a primary hands over first is an invariant. */
export const withdraw = (situation: Situation, member: Member, reason: string): Step =>
  act(situation, { kind: 'withdraw-vote', member: member.id, machine: member.machine }, reason);

export const remove = (situation: Situation, members: readonly Member[], reason: string): Step =>
  act(situation, { kind: 'remove-members', members: members.map((member) => member.id) }, reason);

/**
 * To the first in the order of succession that stays, is not under maintenance and not cut off, one that is caught up before
 * any other.
 */
export function handOverFrom(situation: Situation, primary: Member): Step {
  const { observed, set } = situation;
  const zone = (member: Member) => machineOf(observed, member.machine)?.zone ?? '';
  const isAway = (member: Member) => machineOf(observed, member.machine)?.maintenance === true;
  const all = order({
    primary: primary.id,
    members: set.members.map((member) => ({ ...member, zone: zone(member) })),
  }).flatMap((id) =>
    set.members.filter((member) => member.id === id && isStaying(situation, member) && !isCutOff(member)),
  );
  const heirs = all.filter((member) => !isAway(member));
  const heir = heirs.find((member) => isCaughtUp(set, member)) ?? heirs[0];
  const [away] = all;
  if (heir === undefined && away !== undefined) {
    return blocked(
      `${capital(memberText(primary))} is primary and must go, and ${memberText(away)}, which could take over, is under maintenance.`,
      `When it is there again, end that with: quorate maintenance ${away.machine} --end`,
    );
  }
  if (heir === undefined) {
    return blocked(
      `${capital(memberText(primary))} is primary and must go, and no voter that stays could take over.`,
      'See which members answer with: quorate show-controller',
    );
  }
  return act(
    situation,
    { kind: 'hand-over', member: heir.id, machine: heir.machine as MachineId },
    `${capital(memberText(primary))} is primary and leaves.`,
  );
}
