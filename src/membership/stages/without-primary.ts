import { answers, fullest, machineOf, majority, votersOf } from '../facts.js';
import type { Situation } from '../situation.js';
import { act, blocked, waitOrBlock } from '../steps.js';
import type { Member, Step } from '../types.js';
import { agree, list, machinesText, membersText, memberText } from '../words.js';

/**
 * What can be done while no member is primary: wait for an election where a majority answers, help the survivor of two
 * where it can prove that it holds everything, and otherwise nothing. Silence alone changes nothing here.
 */
export function withoutPrimary(situation: Situation): Step | null {
  const { set, expired } = situation;
  if (set.primary !== null) return null;
  const voters = votersOf(set);
  const answering = voters.filter(answers);
  const [silent] = voters.filter((member) => !answers(member));
  if (answering.length >= majority(voters.length)) {
    return waitOrBlock(
      expired,
      'primary',
      [],
      {
        text: 'wait for an election',
        reason: `No member is primary, though ${answering.length} of ${voters.length} voters answer.`,
      },
      'See what the members say with quorate show-controller; the same command goes on from here once one is primary.',
    );
  }
  const survivor = answering.length === 0 ? undefined : fullest(set);
  if (voters.length === 2 && survivor && silent) return survivorOfTwo(situation, survivor, silent);
  return noMajority(situation, voters, answering);
}

/**
 * Two vote, one is silent: no majority, and one failure must be survivable at any moment. The member that holds most goes on,
 * also one without a vote; the invariants of a forced config say what has to be waited for, proven and ended first.
 */
function survivorOfTwo(situation: Situation, survivor: Member, silent: Member): Step {
  const other = machineOf(situation.observed, silent.machine);
  if (other === undefined || survivor.machine === null) {
    return blocked(
      `Two members vote, ${memberText(silent)} is silent, and one of the two belongs to no known machine.`,
      `Bring ${memberText(silent)} back, or see what would be lost with: quorate recover`,
    );
  }
  return act(
    situation,
    { kind: 'force-survivor', member: survivor.id, machine: survivor.machine },
    `Machine ${other.id} is terminated, and the oplog of ${memberText(survivor)} shows that it holds every write.`,
  );
}

function noMajority(
  { observed, set, expired }: Situation,
  voters: readonly Member[],
  answering: readonly Member[],
): Step {
  const silent = voters.filter((member) => !answers(member));
  const machines = silent.flatMap((member) => member.machine ?? []);
  const best = fullest({ ...set, members: set.members.filter((member) => member.machine !== null) });
  const ended = machines.filter((id) => machineOf(observed, id)?.instance === 'terminated');
  const reason =
    voters.length === 1
      ? `The only controller that votes, ${list(silent.map(memberText))}, does not answer.`
      : `Only ${answering.length} of ${voters.length} voters ${agree(answering, 'answers', 'answer')}, and a majority is ${majority(voters.length)}.`;
  const bringBack =
    ended.length === machines.length && machines.length > 0
      ? `The cloud says that ${machinesText(ended)} ${ended.length === 1 ? 'is' : 'are'} gone for good.`
      : `Start what is stopped: quorate cloud list.`;
  const wayOut =
    best === undefined
      ? bringBack
      : `${bringBack} Or see what would be lost with: quorate recover --survivor ${best.machine}`;
  return waitOrBlock(
    expired,
    'healthy',
    machines,
    { text: `wait for ${membersText(silent)} to come back`, reason },
    wayOut,
    2 * 60_000,
  );
}
