/**
 * The invariants (docs/membership.md), each as a question about a deed and what is answered instead when it does not hold.
 * Every step that the planner answers passes through `guarded`: whatever led to a deed, one that would break an invariant
 * is never sent.
 */
import { isReconfig, membersAfter } from './config.js';
import {
  answers,
  isCaughtUp,
  isHealthy,
  isVoter,
  machineOf,
  majority,
  mayBePublished,
  memberById,
  memberOf,
  runsServices,
  sameIds,
  votersOf,
  withoutAddresses,
} from './facts.js';
import { isStaying, type Situation } from './situation.js';
import { blocked, waitOrBlock } from './steps.js';
import type { Deed, Member, Step } from './types.js';
import { hasExpired } from './waits.js';
import { agree, capital, count, membersText } from './words.js';

export interface Invariant {
  readonly name: string;
  holds(situation: Situation, deed: Deed): boolean;
  instead(situation: Situation, deed: Deed): Step;
}

const MAX_VOTERS = 7;

/** The deed itself is wrong, whatever is waited for: a defect of the planner, stopped here. */
const refused = (what: string) => (): Step =>
  blocked(
    `A step was refused because it ${what}.`,
    'This is a defect: please report it with the output of quorate show-change.',
  );

const isForced = (deed: Deed): boolean => deed.kind === 'force-survivor' || deed.kind === 'terminate';
const votersAfter = ({ observed, set }: Situation, deed: Deed): readonly Member[] =>
  membersAfter(observed, set, deed).filter(isVoter);
const machinesIn = (members: readonly Member[]): readonly string[] =>
  members.flatMap((member) => (member.machine === null ? [] : [member.machine]));

/** A voter that does not count as healthy and loses its vote in this change too: nobody waits for it. */
const isGoing = (situation: Situation, member: Member): boolean =>
  !isHealthy(situation.observed, member) && !isStaying(situation, member);

export const invariants: readonly Invariant[] = [
  {
    name: 'changes need a primary, since without a majority nothing can be written',
    holds: ({ set }, deed) => isForced(deed) || set.primary !== null,
    instead: ({ expired }) =>
      waitOrBlock(
        expired,
        'primary',
        [],
        { text: 'wait for a primary', reason: 'No member is primary.' },
        'See which members answer with: quorate show-controller',
      ),
  },
  {
    name: 'a reconfig changes the vote of at most one member',
    holds: (situation, deed) => {
      if (!isReconfig(deed) || isForced(deed)) return true;
      const before = votersOf(situation.set).map((member) => member.id);
      const after = votersAfter(situation, deed).map((member) => member.id);
      return before.filter((id) => !after.includes(id)).length + after.filter((id) => !before.includes(id)).length <= 1;
    },
    instead: refused('would change more than one vote at once'),
  },
  {
    name: 'a reconfig is sent only when the current config is committed on a majority',
    holds: ({ set }, deed) => !isReconfig(deed) || isForced(deed) || set.committed,
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
  },
  {
    name: 'the set is not changed while an election, a succession or another change moves it',
    holds: ({ set }, deed) =>
      !(isReconfig(deed) || deed.kind === 'hand-over') || isForced(deed) || set.unsettled === null,
    instead: ({ set, expired }) =>
      waitOrBlock(
        expired,
        'settled',
        [],
        { text: 'wait until the set is settled', reason: `The set is not settled: ${set.unsettled}.` },
        'See what the members say with: quorate show-controller',
      ),
  },
  {
    name: 'the healthy voters are a majority of the new voters',
    holds: (situation, deed) => {
      if (!isReconfig(deed) || isForced(deed)) return true;
      const after = votersAfter(situation, deed);
      return after.filter((member) => isHealthy(situation.observed, member)).length >= majority(after.length);
    },
    instead: (situation, deed) => {
      const after = votersAfter(situation, deed);
      const sick = after.filter((member) => !isHealthy(situation.observed, member));
      const healthy = after.length - sick.length;
      const reason = `Only ${healthy} of ${count(after.length, 'voter')} would be healthy, and a majority is ${majority(after.length)}.`;
      const wayOut =
        'Bring a lost controller back (quorate cloud list), or after a majority is lost for good: quorate recover';
      const mayReturn = sick.filter((member) => machineOf(situation.observed, member.machine)?.life === 'alive');
      if (mayReturn.length === 0) return blocked(reason, wayOut);
      const text = `wait for ${membersText(mayReturn)} to answer`;
      return waitOrBlock(situation.expired, 'healthy', machinesIn(mayReturn), { text, reason }, wayOut);
    },
  },
  {
    name: 'at most seven vote',
    holds: (situation, deed) => deed.kind !== 'grant-vote' || votersAfter(situation, deed).length <= MAX_VOTERS,
    instead: refused('would give an eighth member a vote'),
  },
  {
    name: 'a vote is granted only to a member that is caught up',
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
  },
  {
    name: 'all that are about to vote are ready before the first of them does',
    holds: ({ observed, set, seats }, deed) => {
      if (deed.kind !== 'grant-vote' || votersOf(set).length % 2 === 0) return true;
      const about = seats.stay.map((id) => memberOf(observed, id));
      return about.every((member) => member !== undefined && (isVoter(member) || isCaughtUp(set, member)));
    },
    instead: refused('would grant a vote before all newcomers are ready'),
  },
  {
    name: 'a vote is withdrawn only while every voter that remains is caught up',
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
  },
  {
    name: 'the primary keeps its vote and its membership until it has handed over',
    holds: ({ set }, deed) =>
      !(deed.kind === 'withdraw-vote' && deed.member === set.primary) &&
      !(deed.kind === 'remove-members' && deed.members.some((id) => id === set.primary)),
    instead: refused('would take the vote of the primary'),
  },
  {
    name: 'the primary is handed over only to a voter that stays',
    holds: ({ set, seats }, deed) => {
      if (deed.kind !== 'hand-over') return true;
      const heir = memberById(set, deed.member);
      return heir !== undefined && isVoter(heir) && seats.stay.includes(deed.machine);
    },
    instead: refused('would hand the primary over to a member that leaves'),
  },
  {
    name: 'a member loses its vote before its membership',
    holds: ({ set }, deed) =>
      deed.kind !== 'remove-members' || deed.members.every((id) => memberById(set, id)?.votes === 0),
    instead: refused('would remove a member that votes'),
  },
  {
    name: 'a machine loses its membership before its jobs',
    holds: ({ observed }, deed) =>
      deed.kind !== 'drop-jobs' || deed.machines.every((id) => memberOf(observed, id) === undefined),
    instead: refused('would stop the mongod of a member'),
  },
  {
    name: 'addresses go away, and everyone has heard so, before what answers on them stops',
    holds: ({ observed, expired }, deed) =>
      deed.kind !== 'drop-jobs' ||
      (!deed.machines.some((id) => observed.addresses.machines.includes(id)) &&
        withoutAddresses(observed).every((machine) => hasExpired(expired, 'agents', machine.id))),
    instead: refused('would stop a controller that clients still look for'),
  },
  {
    name: 'a machine is written off only with nothing of it answering, or on its cloud’s word',
    holds: ({ observed }, deed) =>
      deed.kind !== 'mark-dying' ||
      deed.machines.every((id) => {
        const machine = machineOf(observed, id);
        const member = memberOf(observed, id);
        if (machine === undefined) return false;
        return machine.instance === 'terminated' || (machine.agent !== 'started' && !(member && answers(member)));
      }),
    instead: refused('would write off a machine that answers'),
  },
  {
    name: 'a machine’s services stop before its instance ends, unless it is lost',
    holds: ({ observed, expired }, deed) =>
      deed.kind !== 'mark-dead' ||
      deed.machines.every((id) => {
        const machine = machineOf(observed, id);
        const member = memberOf(observed, id);
        if (machine === undefined || machine.life !== 'dying' || (member && answers(member))) return false;
        if (machine.agent !== 'started' || machine.instance === 'terminated') return true;
        return !member && (!runsServices(machine) || hasExpired(expired, 'services-stopped', id));
      }),
    instead: refused('would end a machine that still serves'),
  },
  {
    name: 'a config is forced only on the survivor of two that has the note, and with the other terminated',
    holds: ({ observed, set }, deed) => {
      if (!isForced(deed)) return true;
      const voters = votersOf(set);
      const other = voters.find((member) =>
        deed.kind === 'force-survivor'
          ? member.id !== deed.member
          : 'machine' in deed && member.machine === deed.machine,
      );
      const survivor = voters.find((member) => member !== other);
      if (voters.length !== 2 || set.primary !== null || !other || !survivor) return false;
      const noted = set.notes.some((note) => note.member === survivor.id && note.version === set.version && note.noted);
      const ended = machineOf(observed, other.machine)?.instance === 'terminated';
      return noted && answers(survivor) && !answers(other) && (deed.kind === 'terminate' || ended);
    },
    instead: refused('would force a config without proof that nothing is lost'),
  },
  {
    name: 'no machine is started while those that are controllers, or become it, suffice',
    holds: ({ goal, seats }, deed) =>
      deed.kind !== 'add-machines' || seats.stay.length + deed.count <= goal.controllers,
    instead: refused('would start more machines than are wanted'),
  },
  {
    name: 'only controllers are published, and never none',
    holds: ({ observed }, deed) =>
      deed.kind !== 'publish' ||
      (deed.machines.length > 0 &&
        deed.machines.every((id) => {
          const machine = machineOf(observed, id);
          return machine !== undefined && mayBePublished(machine);
        })),
    instead: refused('would publish the address of a machine that is no controller'),
  },
];

/** The step, or what is answered instead of a deed that would break an invariant. */
export function guarded(situation: Situation, step: Step): Step {
  if (step.kind !== 'do') return step;
  for (const invariant of invariants) {
    if (!invariant.holds(situation, step.deed)) return invariant.instead(situation, step.deed);
  }
  return step;
}

/** At rest the voters are odd, are those that were chosen, and are published. What else `done` means is in `plan`. */
export function isAtRest({ set, seats, observed }: Situation): boolean {
  const voters = votersOf(set);
  return (
    voters.length % 2 === 1 &&
    voters.length === set.members.length &&
    sameIds(machinesIn(voters), seats.stay) &&
    sameIds(observed.addresses.machines, seats.stay)
  );
}
