/**
 * The planner: from what is seen and what is wanted to the one next step. A pure function, asked again after every step
 * with fresh facts, so that a crash, a loss in the middle and a hand-made change all land in the same code.
 */
import { answers, isInTouch, memberById, votersOf } from './facts.js';
import type { Invariant } from './invariants/invariant.js';
import { guarded, INVARIANTS, isAtRest } from './safety.js';
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
import { agentsMove, handOver, othersMove, publish, serve } from './stages/moving.js';
import { boot, bootSuccessors, catchUp, enlist, grantVotes, join, startMongod } from './stages/newcomers.js';
import { resync } from './stages/resync.js';
import { settledAtOdd, stepBack } from './stages/settle.js';
import { switchOver } from './stages/switchover.js';
import { configSpreads, equalPriorities, makeOdd, setTimings } from './stages/voters.js';
import { withoutPrimary } from './stages/without-primary.js';
import { blocked, waitOrBlock } from './steps.js';
import type { Expired, Goal, Observed, Step } from './types.js';
import { agree, membersText, memberText } from './words.js';

/** Answers when it has something to do. */
export type Stage = (situation: Situation) => Step | null;

/** In the order in which they are asked; the first that has an answer gives it. Why in this order: docs/membership.md. */
const STAGES: readonly Stage[] = [
  withoutPrimary,
  // What is lost: verdict, instance (its successor boots meanwhile), vote, membership; then the voters are made equal and odd again.
  writeOffLost,
  endStopped,
  bootSuccessors,
  lostAreGone,
  equalPriorities,
  withdrawDeadVotes,
  removeDeadMembers,
  resync,
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
  othersMove,
  // Leavers: vote, membership, process, instance.
  withdrawVotes,
  removeMembers,
  dropJobs,
  servicesStop,
  instancesEnd,
  configSpreads,
];

const SETTLING: readonly Stage[] = [
  withoutPrimary,
  setTimings,
  switchOver,
  settledAtOdd,
  withdrawDeadVotes,
  makeOdd,
  stepBack,
];

/** What the planner goes by. The model takes one out at a time, to show that each is needed. */
export interface Rules {
  /** For a goal that adds or removes somebody. */
  readonly stages: readonly Stage[];
  /** For one that settles. */
  readonly settling: readonly Stage[];
  readonly invariants: readonly Invariant[];
}

export const RULES: Rules = { stages: STAGES, settling: SETTLING, invariants: INVARIANTS };

/** The next single safe step towards the goal; what to wait for; done; or blocked, with the reason and the way out. */
export const plan = (observed: Observed, goal: Goal, expired: readonly Expired[] = []): Step =>
  planWith(RULES, observed, goal, expired);

export function planWith(rules: Rules, observed: Observed, goal: Goal, expired: readonly Expired[]): Step {
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
  for (const stage of goal.settle ? rules.settling : rules.stages) {
    const step = stage(situation);
    if (step !== null) return guarded(situation, step, rules.invariants);
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
  const away = votersOf(set).filter((member) => !isInTouch(member));
  const spare = (all - 1) / 2 - away.length;
  const losable = spare <= 0 ? 'no controller' : spare === 1 ? 'any one controller' : `any ${spare} controllers`;
  const until =
    away.length === 0
      ? ''
      : ` until ${membersText(away)}, ${away.some(answers) ? 'cut off from the primary' : 'under maintenance'}, ${agree(away, 'is', 'are')} back`;
  return {
    kind: 'done',
    text: `${all} of ${all} vote; primary ${primary ? memberText(primary) : 'unknown'}; ${losable} can be lost${until}.`,
  };
}
