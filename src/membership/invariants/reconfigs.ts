/** When the set may be changed at all, and what must be true of it afterwards. */
import { isHealthy, machineOf, majority, memberById, votersOf } from '../facts.js';
import { leavingVoters } from '../situation.js';
import { blocked, waitOrBlock } from '../steps.js';
import type { Member } from '../types.js';
import { handOverFrom, withdraw } from '../votes.js';
import { agree, count, membersText } from '../words.js';
import { type Invariant, isForced, isOrdinary, machinesIn, refused, votersAfter } from './invariant.js';

const MAX_VOTERS = 7;

export const primary: Invariant = {
  name: 'primary',
  says: 'changes need a primary, since without a majority nothing can be written',
  holds: ({ set }, deed) => isForced(deed) || set.primary !== null,
  instead: ({ expired }) =>
    waitOrBlock(
      expired,
      'primary',
      [],
      { text: 'wait for a primary', reason: 'No member is primary.' },
      'See which members answer with: quorate show-controller',
    ),
};

export const handOverFirst: Invariant = {
  name: 'hand-over-first',
  says: 'the primary keeps its vote and its membership until it has handed over',
  holds: ({ set }, deed) =>
    !(deed.kind === 'withdraw-vote' && deed.member === set.primary) &&
    !(deed.kind === 'remove-members' && deed.members.some((id) => id === set.primary)),
  instead: (situation) => handOverFrom(situation, memberById(situation.set, situation.set.primary as number) as Member),
};

export const oneVote: Invariant = {
  name: 'one-vote',
  says: 'a reconfig changes the vote of at most one member',
  holds: (situation, deed) => {
    if (!isOrdinary(deed)) return true;
    const before = votersOf(situation.set).map((member) => member.id);
    const after = votersAfter(situation, deed).map((member) => member.id);
    return before.filter((id) => !after.includes(id)).length + after.filter((id) => !before.includes(id)).length <= 1;
  },
  instead: refused('would change more than one vote at once'),
};

export const committed: Invariant = {
  name: 'committed',
  says: 'a reconfig is sent, and a mongod that has left is stopped, only when the current config is committed on a majority',
  // A primary that is elected without the last config would have the member back, without its mongod.
  holds: ({ set }, deed) =>
    set.committed || !(isOrdinary(deed) || deed.kind === 'drop-jobs' || deed.kind === 'renew-member'),
  instead: ({ expired }) =>
    waitOrBlock(
      expired,
      'committed',
      [],
      {
        text: 'wait until a majority has the last config',
        reason: 'The last change of the set has not reached a majority of its voters.',
      },
      'See which members answer with: quorate show-controller',
    ),
};

export const settled: Invariant = {
  name: 'settled',
  says: 'the set is not changed while an election, a succession or another change moves it',
  holds: ({ set }, deed) => !(isOrdinary(deed) || deed.kind === 'hand-over') || set.unsettled === null,
  instead: ({ set, expired }) =>
    waitOrBlock(
      expired,
      'settled',
      [],
      { text: 'wait until the set is settled', reason: `The set is not settled: ${set.unsettled}.` },
      'See what the members say with: quorate show-controller',
    ),
};

export const majorityAfter: Invariant = {
  name: 'majority-after',
  says: 'the healthy voters are a majority of the new voters',
  holds: (situation, deed) => {
    if (!isOrdinary(deed)) return true;
    const after = votersAfter(situation, deed);
    return after.filter((member) => isHealthy(situation.observed, member)).length >= majority(after.length);
  },
  instead: (situation, deed) => {
    const after = votersAfter(situation, deed);
    const sick = after.filter((member) => !isHealthy(situation.observed, member));
    const healthy = after.length - sick.length;
    const reason = `Only ${healthy} of ${count(after.length, 'voter')} would be healthy, and a majority is ${majority(after.length)}.`;
    const strangers = sick.filter((member) => machineOf(situation.observed, member.machine) === undefined);
    const wayOut =
      strangers.length > 0 && situation.set.primary !== null
        ? `Take the ${agree(strangers, 'vote', 'votes')} of ${membersText(strangers)} in mongosh on the primary, or bring a lost controller back.`
        : 'Bring a lost controller back (quorate cloud list), or after a majority is lost for good: quorate recover';
    const mayReturn = sick.filter((member) => machineOf(situation.observed, member.machine)?.life === 'alive');
    if (mayReturn.length === 0) return blocked(reason, wayOut);
    const text = `wait for ${membersText(mayReturn)} to answer`;
    return waitOrBlock(situation.expired, 'healthy', machinesIn(mayReturn), { text, reason }, wayOut);
  },
};

export const seven: Invariant = {
  name: 'seven',
  says: 'at most seven vote',
  holds: (situation, deed) => deed.kind !== 'grant-vote' || votersAfter(situation, deed).length <= MAX_VOTERS,
  instead: (situation) => {
    const leaving = leavingVoters(situation);
    const first = leaving.find((member) => member.id !== situation.set.primary) ?? leaving[0];
    return first
      ? withdraw(situation, first, 'Seven vote already, and this one does not stay.')
      : refused('would give an eighth member a vote')();
  },
};
