/**
 * The rules of the one forced config outside `recover`: two vote, one of them is silent, and the other goes on alone only
 * with proof that nothing acknowledged is lost (docs/membership.md, *Two voters*).
 */
import { answers, compareOpTimes, machineOf, votersOf } from '../facts.js';
import type { Situation } from '../situation.js';
import { act, blocked, waitOrBlock } from '../steps.js';
import type { Deed, Machine, Member } from '../types.js';
import { graceLeft, hasExpired, wait } from '../waits.js';
import { agree, capital, membersText, memberText } from '../words.js';
import { type Invariant, isForced, refused } from './invariant.js';

interface Two {
  readonly survivor: Member;
  readonly silent: Member;
  /** The silent one's machine. */
  readonly other: Machine;
}

/** Who survives and who is silent, as the deed has it; null unless exactly two vote and both belong to known machines. */
function twoOf({ observed, set }: Situation, deed: Deed): Two | null {
  const voters = votersOf(set);
  if (!isForced(deed) || voters.length !== 2) return null;
  const silent = voters.find((member) =>
    deed.kind === 'force-survivor' ? member.id !== deed.member : member.machine === deed.machine,
  );
  const survivor = voters.find((member) => member !== silent);
  const other = machineOf(observed, silent?.machine ?? null);
  return silent && survivor?.machine && other ? { survivor, silent, other } : null;
}

const noteOf = ({ set }: Situation, { survivor }: Two) =>
  set.notes.find((note) => note.member === survivor.id && note.version === set.version);

const isGone = (two: Two | null): boolean => two?.other.instance === 'terminated';

export const survivorOfTwo: Invariant = {
  name: 'survivor-of-two',
  says: 'a config is forced only on one of two voters, without a primary and with the other one silent',
  holds: (situation, deed) => {
    if (!isForced(deed)) return true;
    const two = twoOf(situation, deed);
    return two !== null && situation.set.primary === null && answers(two.survivor) && !answers(two.silent);
  },
  instead: refused('would force a config where a majority decides'),
};

export const grace: Invariant = {
  name: 'grace',
  says: 'the silent one of two voters is waited for before it is ended',
  holds: (situation, deed) => {
    if (!isForced(deed)) return true;
    const two = twoOf(situation, deed);
    return isGone(two) || (two !== null && hasExpired(situation.expired, 'healthy', two.other.id));
  },
  instead: (situation, deed) => {
    const { survivor, silent, other } = twoOf(situation, deed) as Two;
    return wait(
      'healthy',
      [other.id],
      {
        text: `wait for machine ${other.id} to come back`,
        reason: `Two members vote, and machine ${other.id} is silent.`,
        otherwise: `have it terminated and go on with ${memberText(survivor)} alone, if that one holds every write`,
      },
      graceLeft(situation.observed.grace, other, silent),
    );
  },
};

export const note: Invariant = {
  name: 'note',
  says: 'a config is forced only on a survivor whose oplog holds the note of the installed config',
  holds: (situation, deed) => {
    if (!isForced(deed)) return true;
    const two = twoOf(situation, deed);
    return two !== null && noteOf(situation, two)?.noted === true;
  },
  instead: (situation, deed) => {
    const two = twoOf(situation, deed) as Two;
    const { survivor, other } = two;
    const who = memberText(survivor);
    const back = isGone(two) ? 'To go on, ' : `Bring machine ${other.id} back, or `;
    if (noteOf(situation, two) === undefined) {
      return waitOrBlock(
        situation.expired,
        'primary',
        [],
        {
          text: `wait until the oplog of ${who} says whether it holds every write`,
          reason: `The oplog of ${who} could not be read, so nobody knows whether it holds every write.`,
        },
        `${back}see what would be lost with: quorate recover --survivor ${survivor.machine}`,
      );
    }
    return blocked(
      `Two members vote, machine ${other.id} is gone, and ${who} may lack writes that only machine ${other.id} had.`,
      `${back}see what would be lost, and accept it, with: quorate recover --survivor ${survivor.machine}`,
    );
  },
};

/**
 * The note speaks of the config of two. The silent one may have gone on from it and given a third its vote without the
 * survivor hearing of it; then those two were a majority. Any such third is in the config already, without a vote.
 */
const othersOf = ({ set }: Situation, { survivor, silent }: Two): readonly Member[] =>
  set.members.filter(({ id }) => id !== survivor.id && id !== silent.id);

const mute = (situation: Situation, two: Two) => othersOf(situation, two).filter((member) => !answers(member));

const ahead = (situation: Situation, two: Two) =>
  othersOf(situation, two).filter(
    ({ optime }) => two.survivor.optime === null || optime === null || compareOpTimes(two.survivor.optime, optime) < 0,
  );

export const thirdAnswers: Invariant = {
  name: 'third-answers',
  says: 'a config is forced only while every member without a vote answers: it may have one that the survivor has not heard of',
  holds: (situation, deed) => {
    if (!isForced(deed)) return true;
    const two = twoOf(situation, deed);
    return two !== null && mute(situation, two).length === 0;
  },
  instead: (situation, deed) => {
    const two = twoOf(situation, deed) as Two;
    const others = mute(situation, two);
    const text = `wait for ${membersText(others)} to answer`;
    const reason = `Two members vote, machine ${two.other.id} is silent, and so ${agree(others, 'is', 'are')} ${membersText(others)}, which may have been given a vote since.`;
    return waitOrBlock(situation.expired, 'primary', [], { text, reason }, wayOutOf(two));
  },
};

export const furthest: Invariant = {
  name: 'furthest',
  says: 'a config is forced only on a survivor that holds what every member without a vote holds',
  holds: (situation, deed) => {
    if (!isForced(deed)) return true;
    const two = twoOf(situation, deed);
    return two !== null && ahead(situation, two).length === 0;
  },
  instead: (situation, deed) => {
    const two = twoOf(situation, deed) as Two;
    const others = ahead(situation, two);
    const who = memberText(two.survivor);
    const hold = agree(others, 'holds', 'hold');
    const text = `wait until ${who} holds all that ${membersText(others)} ${hold}`;
    const reason = `${capital(membersText(others))} may have been given a vote by machine ${two.other.id} at last, and ${hold} writes that ${who} lacks.`;
    return waitOrBlock(situation.expired, 'primary', [], { text, reason }, wayOutOf(two));
  },
};

const wayOutOf = (two: Two): string =>
  `${isGone(two) ? 'To go on, ' : `Bring machine ${two.other.id} back, or `}see what would be lost with: quorate recover --survivor ${two.survivor.machine}`;

export const terminatedFirst: Invariant = {
  name: 'terminated-first',
  says: 'the other one is terminated before a config is forced: started again it would be a voter of its old config',
  holds: (situation, deed) => deed.kind !== 'force-survivor' || isGone(twoOf(situation, deed)),
  instead: (situation, deed) => {
    const { survivor, other } = twoOf(situation, deed) as Two;
    return act(
      situation,
      { kind: 'terminate', machine: other.id },
      `Machine ${other.id} must be gone for good before ${memberText(survivor)} goes on alone.`,
    );
  },
};
