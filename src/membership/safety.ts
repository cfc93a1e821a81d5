/**
 * The invariants (docs/membership.md): every step that the planner answers passes through `guarded`. Whatever led to a
 * deed, one that would break an invariant is never sent; what is answered instead is the wait, or the step that has to go
 * before it.
 */
import { sameIds, votersOf } from './facts.js';
import { grace, holdsMost, note, survivorOfTwo, terminatedFirst } from './invariants/forced.js';
import { type Invariant, machinesIn } from './invariants/invariant.js';
import { addressesFirst, enough, evidence, membershipFirst, published, servicesFirst } from './invariants/machines.js';
import { committed, handOverFirst, majorityAfter, oneVote, primary, settled, seven } from './invariants/reconfigs.js';
import { allReady, caughtUp, heir, remainingCaughtUp, voteFirst } from './invariants/votes.js';
import type { Situation } from './situation.js';
import type { Step } from './types.js';

/** In the order in which they are asked. */
export const INVARIANTS: readonly Invariant[] = [
  primary,
  handOverFirst,
  oneVote,
  committed,
  settled,
  majorityAfter,
  seven,
  caughtUp,
  allReady,
  remainingCaughtUp,
  heir,
  voteFirst,
  membershipFirst,
  addressesFirst,
  evidence,
  servicesFirst,
  enough,
  published,
  survivorOfTwo,
  grace,
  holdsMost,
  note,
  terminatedFirst,
];

/** The step, or what is answered instead of a deed that would break an invariant; that passes through them too. */
export function guarded(situation: Situation, step: Step, invariants: readonly Invariant[]): Step {
  if (step.kind !== 'do') return step;
  for (const invariant of invariants) {
    if (!invariant.holds(situation, step.deed)) {
      return guarded(situation, invariant.instead(situation, step.deed), invariants);
    }
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
