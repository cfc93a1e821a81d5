/**
 * The rules of the one forced config outside `recover`: two vote, one of them is silent, and a member goes on alone only
 * with proof that nothing acknowledged is lost (docs/membership.md, *Two voters*).
 */
import { answers, compareOpTimes, fullest, machineOf, memberById, votersOf } from '../facts.js';
import type { Situation } from '../situation.js';
import { act, blocked, waitOrBlock } from '../steps.js';
import type { Deed, Machine, Member } from '../types.js';
import { graceLeft, hasExpired, wait } from '../waits.js';
import { agree, membersText, memberText } from '../words.js';
import { type Invariant, isForced, refused } from './invariant.js';

interface Two {
  readonly survivor: Member;
  readonly silent: Member;
  /** The silent one's machine. */
  readonly other: Machine;
}

/** Who survives and which voter is silent, as the deed has it; null unless exactly two vote and the machines are known. */
function twoOf({ observed, set }: Situation, deed: Deed): Two | null {
  const voters = votersOf(set);
  if (!isForced(deed) || voters.length !== 2) return null;
  const survivor = deed.kind === 'force-survivor' ? memberById(set, deed.member) : fullest(set);
  const silent = voters.find((member) =>
    deed.kind === 'terminate' ? member.machine === deed.machine : member !== survivor && !answers(member),
  );
  const other = machineOf(observed, silent?.machine ?? null);
  return silent && survivor?.machine && survivor !== silent && other ? { survivor, silent, other } : null;
}

/** Members without a vote in this config, who may have got one in a later one that only the lost primary had. */
const besides = ({ set }: Situation, { survivor, silent }: Two): readonly Member[] =>
  set.members.filter((member) => member !== survivor && member !== silent);

/** It answers itself, and has no data yet. */
const isEmpty = (member: Member): boolean =>
  member.healthy && (member.state === 'STARTUP' || member.state === 'STARTUP2');

const noteOf = ({ set }: Situation, { survivor }: Two) =>
  set.notes.find((note) => note.member === survivor.id && note.version === set.version);

const isGone = (two: Two | null): boolean => two?.other.instance === 'terminated';

export const survivorOfTwo: Invariant = {
  name: 'survivor-of-two',
  says: 'a config is forced only where two vote, without a primary and with one of the two silent',
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
      graceLeft(situation.observed, other, silent),
    );
  },
};

export const holdsMost: Invariant = {
  name: 'holds-most',
  says: 'a config is forced only on the member that holds most, with every other one asked',
  holds: (situation, deed) => {
    if (!isForced(deed)) return true;
    const two = twoOf(situation, deed);
    const mine = two?.survivor.optime;
    if (two === null || !mine) return false;
    return besides(situation, two).every(
      (member) => isEmpty(member) || (answers(member) && member.optime && compareOpTimes(member.optime, mine) <= 0),
    );
  },
  instead: (situation, deed) => {
    const two = twoOf(situation, deed) as Two;
    const unasked = besides(situation, two).filter((member) => !isEmpty(member) && !answers(member));
    const who = membersText(unasked.length > 0 ? unasked : besides(situation, two));
    return waitOrBlock(
      situation.expired,
      'primary',
      [],
      {
        text: `wait until ${who} ${agree(unasked, 'says', 'say')} what ${agree(unasked, 'it holds', 'they hold')}`,
        reason: `Two members vote, machine ${two.other.id} is silent, and ${who} may hold writes that ${memberText(two.survivor)} lacks.`,
      },
      `See what would be lost, and accept it, with: quorate recover --survivor ${two.survivor.machine}`,
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
