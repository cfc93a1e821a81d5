/** A planned change of the primary, and nothing else: to the machine that was asked for. */
import { isInTouch, isSilent, isVoter, machineOf, memberOf, votersOf } from '../facts.js';
import { isStaying, type Situation } from '../situation.js';
import { act, blocked, waitOrBlock } from '../steps.js';
import type { MachineId, Member, Step } from '../types.js';
import { DEADLINES, graceLeft } from '../waits.js';
import { absence } from '../words.js';

/** At an odd number of voters; before that the number is made odd. */
export function switchOver(situation: Situation): Step | null {
  const { observed, set, goal } = situation;
  const to = goal.primary ?? null;
  if (to === null || votersOf(set).length % 2 === 0) return null;
  const member = memberOf(observed, to);
  if (member !== undefined && member.id === set.primary) return null;
  const no = whyNot(situation, to, member);
  if (no !== null) return no;
  const heir = member as Member;
  if (!isInTouch(heir)) return waitForHeir(situation, to, heir);
  if (!isStaying(situation, heir)) {
    return blocked(`Machine ${to} is to be replaced.`, 'Ask for another one, or leave --to out.');
  }
  if (heir.priority !== 1) {
    const reason = `Somebody changed it by hand, and machine ${to} must be able to take over.`;
    return act(situation, { kind: 'equal-priority', members: [heir.id] }, reason);
  }
  return act(situation, { kind: 'hand-over', member: heir.id, machine: to }, `Machine ${to} was asked for as primary.`);
}

/** What no waiting helps against. */
function whyNot(situation: Situation, to: MachineId, member: Member | undefined): Step | null {
  const machine = machineOf(situation.observed, to);
  const another = 'Ask for another one, or leave --to out.';
  if (machine === undefined || machine.life !== 'alive' || machine.instance === 'terminated') {
    return blocked(`Machine ${to} is gone, or on its way out.`, another);
  }
  if (machine.maintenance) {
    return blocked(`Machine ${to} is under maintenance.`, `End it with: quorate maintenance ${to} --end`);
  }
  if (member === undefined || !isVoter(member)) {
    return blocked(`Machine ${to} does not vote, so it cannot become primary.`, another);
  }
  return null;
}

function waitForHeir({ observed, expired }: Situation, to: MachineId, heir: Member): Step {
  const machine = machineOf(observed, to);
  const deadline = machine && isSilent(machine) ? graceLeft(observed, machine, heir) : DEADLINES.primary;
  return waitOrBlock(
    expired,
    'healthy',
    [to],
    { text: `wait for machine ${to} to answer`, reason: `The member of machine ${to} ${absence(heir)}.` },
    'Ask for another one, or leave --to out.',
    deadline,
  );
}
