/** A member whose mongod does not come to anything, though its machine is there: made anew in place, one step at a time. */
import { isVoter, memberOf } from '../facts.js';
import { type Situation, stayingMachines } from '../situation.js';
import { act } from '../steps.js';
import type { Machine, Step } from '../types.js';
import { verdict } from '../verdict.js';
import { remove, withdraw } from '../votes.js';
import { capital, machinesText } from '../words.js';

/**
 * Its vote goes, its membership, and then its data: the machine's document gets a new member ID, and from then on it is a
 * newcomer like any other. What has been begun goes on first, so that no machine is left without a member.
 */
export function resync(situation: Situation): Step | null {
  const { observed, expired } = situation;
  const progress = (machine: Machine) => {
    const member = memberOf(observed, machine.id);
    return member === undefined ? 0 : isVoter(member) ? 2 : 1;
  };
  const [machine] = stayingMachines(situation)
    .filter((one) => verdict(observed, one, expired) === 'stale')
    .sort((a, b) => progress(a) - progress(b));
  if (machine === undefined) return null;
  const member = memberOf(observed, machine.id);
  const who = capital(machinesText([machine.id]));
  if (member === undefined) {
    const deed = { kind: 'renew-member', machine: machine.id } as const;
    return act(situation, deed, 'Its data led to nothing, and the others hold all of it.');
  }
  const reason = `The agent of ${machinesText([machine.id])} is there, but its mongod is of no use: it starts anew with an empty directory.`;
  return isVoter(member)
    ? withdraw(situation, member, reason)
    : remove(situation, [member], `${who} joins again as a new member, with an empty directory.`);
}
