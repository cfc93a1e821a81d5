/** The set as a whole: its voters equal and odd, its timings as wanted, the last config with all of them. */
import { isCaughtUp, sameTimings, votersOf } from '../facts.js';
import { isStaying, joiners, leavingVoters, type Situation } from '../situation.js';
import { act, waitOrBlock } from '../steps.js';
import type { Step } from '../types.js';
import { grant, withdraw } from '../votes.js';

export function equalPriorities(situation: Situation): Step | null {
  const other = votersOf(situation.set).filter((member) => member.priority !== 1 && isStaying(situation, member));
  if (other.length === 0) return null;
  return act(
    situation,
    { kind: 'equal-priority', members: other.map((member) => member.id) },
    'Somebody changed it by hand, and any voter must be able to take over.',
  );
}

/** Changed settings of the environment: before newcomers come, as whatever follows spreads at this pace. */
export function setTimings(situation: Situation): Step | null {
  const { timings } = situation.observed;
  if (sameTimings(situation.set.timings, timings)) return null;
  return act(situation, { kind: 'set-timings', timings }, 'The settings of the environment say so.');
}

/** An even number of voters is only passed through: whoever is ready makes it odd again at once. */
export function makeOdd(situation: Situation): Step | null {
  const { set } = situation;
  if (votersOf(set).length % 2 === 1) return null;
  const ready = joiners(situation).find((member) => isCaughtUp(set, member));
  if (ready !== undefined) return grant(situation, ready);
  const leaving = leavingVoters(situation);
  const next = leaving.find((member) => member.id !== set.primary) ?? leaving[0];
  return next ? withdraw(situation, next, 'The number of voters must be odd, and this one does not stay.') : null;
}

export function configSpreads({ set, expired }: Situation): Step | null {
  if (set.committed) return null;
  return waitOrBlock(
    expired,
    'committed',
    [],
    {
      text: 'wait until a majority has the last config',
      reason: 'The last change of the set has not reached a majority of its voters.',
    },
    'See which members answer with: quorate show-controller',
  );
}
