/**
 * The planner: from what is seen and what is wanted to the one next step. A pure function, asked again after every step
 * with fresh facts, so that a crash, a loss in the middle and a hand-made change all land in the same code.
 */
import { memberById } from './facts.js';
import { guarded, isAtRest } from './safety.js';
import { seats } from './seats.js';
import type { Situation } from './situation.js';
import { dropJobs, instancesEnd, removeMembers, servicesStop, withdrawVotes } from './stages/leavers.js';
import {
  endStopped,
  lostAreGone,
  removeDeadMembers,
  stayingAnswer,
  withdrawAddressesOfLost,
  withdrawDeadVotes,
  writeOffLost,
} from './stages/lost.js';
import { agentsMove, handOver, publish, serve } from './stages/moving.js';
import { boot, catchUp, enlist, grantVotes, join, startMongod } from './stages/newcomers.js';
import { settledAtOdd, stepBack } from './stages/settle.js';
import { configSpreads, equalPriorities, makeOdd, setTimings } from './stages/voters.js';
import { withoutPrimary } from './stages/without-primary.js';
import { blocked, waitOrBlock } from './steps.js';
import type { Expired, Goal, Observed, Step } from './types.js';
import { memberText } from './words.js';

type Stage = (situation: Situation) => Step | null;

/** In the order in which they are asked; the first that has an answer gives it. Why in this order: docs/membership.md. */
const STAGES: readonly Stage[] = [
  withoutPrimary,
  // What is lost: verdict, instance, vote, membership; then the voters are made equal and odd again.
  writeOffLost,
  endStopped,
  lostAreGone,
  equalPriorities,
  withdrawDeadVotes,
  removeDeadMembers,
  makeOdd,
  withdrawAddressesOfLost,
  stayingAnswer,
  setTimings,
  // Newcomers: machine, mongod, membership, data, vote.
  enlist,
  boot,
  startMongod,
  join,
  catchUp,
  grantVotes,
  // The primary and the addresses move to those that stay.
  handOver,
  serve,
  publish,
  agentsMove,
  // Leavers: vote, membership, process, instance.
  withdrawVotes,
  removeMembers,
  dropJobs,
  servicesStop,
  instancesEnd,
  configSpreads,
];

const SETTLING: readonly Stage[] = [withoutPrimary, setTimings, settledAtOdd, withdrawDeadVotes, makeOdd, stepBack];

/** The next single safe step towards the goal; what to wait for; done; or blocked, with the reason and the way out. */
export function plan(observed: Observed, goal: Goal, expired: readonly Expired[] = []): Step {
  if (observed.life !== 'alive') return blocked('The environment is being destroyed.', 'Nothing is left to be done.');
  const { set } = observed;
  if (set === null) {
    return waitOrBlock(
      expired,
      'primary',
      [],
      { text: 'wait until a member of the set answers', reason: 'No member of the set answers.' },
      'See what the cloud says with quorate cloud list, and start a controller with quorate cloud start.',
    );
  }
  const situation = { observed, set, goal, expired, seats: seats(observed, goal, expired) };
  for (const stage of goal.settle ? SETTLING : STAGES) {
    const step = stage(situation);
    if (step !== null) return guarded(situation, step);
  }
  return done(situation);
}

function done(situation: Situation): Step {
  const { set, seats } = situation;
  if (!isAtRest(situation)) {
    return blocked(
      'The controllers are not as wanted, and no step is known that leads there.',
      'This is a defect: please report it with the output of quorate status --format json.',
    );
  }
  const primary = memberById(set, set.primary as number);
  const all = seats.stay.length;
  const spare = (all - 1) / 2;
  const losable = spare === 0 ? 'no controller' : spare === 1 ? 'any one controller' : `any ${spare} controllers`;
  return {
    kind: 'done',
    text: `${all} of ${all} vote; primary ${primary ? memberText(primary) : 'unknown'}; ${losable} can be lost.`,
  };
}
