/** Who may get a vote, lose one, or become primary. */
import { answers, isCaughtUp, isCutOff, isVoter, machineOf, memberById, memberOf, votersOf } from '../facts.js';
import { waitOrBlock } from '../steps.js';
import { agree, capital, membersText } from '../words.js';
import { type Invariant, isGoing, machinesIn, refused, votersAfter } from './invariant.js';

export const caughtUp: Invariant = {
  name: 'caught-up',
  says: 'a vote, or the primary, goes only to a member that is caught up',
  holds: ({ set }, deed) => {
    const member = deed.kind === 'grant-vote' || deed.kind === 'hand-over' ? memberById(set, deed.member) : null;
    return member === null || (member !== undefined && isCaughtUp(set, member));
  },
  instead: ({ expired }, deed) => {
    const machine = 'machine' in deed ? (deed.machine as string) : '';
    return waitOrBlock(
      expired,
      'caught-up',
      [machine],
      {
        text: `wait until machine ${machine} is caught up`,
        reason: `Machine ${machine} does not hold all writes yet.`,
      },
      'Run the same command again to go on waiting.',
    );
  },
};

export const allReady: Invariant = {
  name: 'all-ready',
  says: 'all that are about to vote are ready before the first of them does',
  holds: ({ observed, set, seats }, deed) => {
    if (deed.kind !== 'grant-vote' || votersOf(set).length % 2 === 0) return true;
    const about = seats.stay.map((id) => memberOf(observed, id));
    return about.every((member) => member !== undefined && (isVoter(member) || isCaughtUp(set, member)));
  },
  instead: refused('would grant a vote before all newcomers are ready'),
};

export const remainingCaughtUp: Invariant = {
  name: 'remaining-caught-up',
  says: 'a vote is withdrawn only while every voter that remains is caught up',
  holds: (situation, deed) =>
    deed.kind !== 'withdraw-vote' ||
    votersAfter(situation, deed).every((member) => isGoing(situation, member) || isCaughtUp(situation.set, member)),
  instead: (situation, deed) => {
    const behind = votersAfter(situation, deed).filter(
      (member) => !isGoing(situation, member) && !isCaughtUp(situation.set, member),
    );
    return waitOrBlock(
      situation.expired,
      behind.some(answers) ? 'caught-up' : 'healthy',
      machinesIn(behind),
      {
        text: `wait until ${membersText(behind)} ${agree(behind, 'is', 'are')} caught up`,
        reason: `${capital(membersText(behind))} would stay ${agree(behind, 'a voter', 'voters')} without holding all writes.`,
      },
      'See why it is behind with quorate show-controller, then run the same command again.',
    );
  },
};

export const heir: Invariant = {
  name: 'heir',
  says: 'the primary is handed over only to a voter that stays, is in touch and not under maintenance',
  holds: ({ observed, set, seats }, deed) => {
    if (deed.kind !== 'hand-over') return true;
    const member = memberById(set, deed.member);
    const away = machineOf(observed, deed.machine)?.maintenance === true;
    return member !== undefined && isVoter(member) && !isCutOff(member) && seats.stay.includes(deed.machine) && !away;
  },
  instead: refused('would hand the primary over to a member that leaves, is cut off or is under maintenance'),
};

export const voteFirst: Invariant = {
  name: 'vote-first',
  says: 'a member loses its vote before its membership',
  holds: ({ set }, deed) =>
    deed.kind !== 'remove-members' || deed.members.every((id) => memberById(set, id)?.votes === 0),
  instead: refused('would remove a member that votes'),
};
