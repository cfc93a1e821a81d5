/**
 * The planner without one of its guards, for showing that each is needed: "plan without NAME". A guard is an invariant
 * together with the stages that see to it before the invariant has to, since either of them alone would still hold it.
 * The names are those of the invariants (src/membership/invariants), and for what only the order of stages holds, ours.
 */
import { type plan, planWith, RULES, type Rules, type Stage } from '../../../src/membership/plan.js';
import { dropJobs, removeMembers, servicesStop, withdrawVotes } from '../../../src/membership/stages/leavers.js';
import {
  lostAreGone,
  removeDeadMembers,
  stayingAnswer,
  withdrawDeadVotes,
} from '../../../src/membership/stages/lost.js';
import { agentsMove, handOver } from '../../../src/membership/stages/moving.js';
import { catchUp, grantVotes } from '../../../src/membership/stages/newcomers.js';
import { configSpreads, makeOdd } from '../../../src/membership/stages/voters.js';
import { withoutPrimary } from '../../../src/membership/stages/without-primary.js';

export type Plan = typeof plan;

/** Invariants and stages that a mutant lacks. */
interface Lacks {
  readonly invariants?: readonly string[];
  readonly stages?: readonly Stage[];
  /** Stages that come only after this one, instead of where they are. */
  readonly late?: { readonly stages: readonly Stage[]; readonly after: Stage };
}

const GUARDS = {
  primary: { invariants: ['primary'], stages: [withoutPrimary] },
  'hand-over-first': { invariants: ['hand-over-first'], stages: [handOver] },
  committed: { invariants: ['committed'], stages: [configSpreads] },
  settled: { invariants: ['settled'] },
  'majority-after': { invariants: ['majority-after'] },
  seven: { invariants: ['seven'] },
  'caught-up': { invariants: ['caught-up', 'all-ready'], stages: [catchUp] },
  'all-ready': { invariants: ['all-ready'], stages: [catchUp] },
  'remaining-caught-up': { invariants: ['remaining-caught-up'] },
  'vote-first': { invariants: ['vote-first'], stages: [withdrawVotes, withdrawDeadVotes] },
  'membership-first': { invariants: ['membership-first'], stages: [withdrawVotes, removeMembers] },
  'addresses-first': { invariants: ['addresses-first'], stages: [agentsMove] },
  grace: { invariants: ['grace'] },
  note: { invariants: ['note'] },
  'holds-most': { invariants: ['holds-most'] },
  'services-first': { invariants: ['services-first'], stages: [servicesStop] },
  'terminated-first': { invariants: ['terminated-first'] },
  /** The dead vote goes before a successor joins. */
  'dead-first': { late: { stages: [withdrawDeadVotes, removeDeadMembers], after: grantVotes } },
  /** Processes stop only after votes and memberships went. */
  'stop-last': {
    invariants: ['membership-first', 'addresses-first'],
    late: { stages: [withdrawVotes, removeMembers], after: dropJobs },
  },
  /** An even number of voters is made odd before anything else. */
  odd: { stages: [makeOdd] },
  /** Those that stay must answer before newcomers are brought. */
  'staying-answer': { stages: [stayingAnswer] },
  /** The end of a lost one's instance is waited for before its vote goes. */
  'lost-are-gone': { stages: [lostAreGone] },
} as const satisfies Record<string, Lacks>;

export type Guard = keyof typeof GUARDS;

export const guards = Object.keys(GUARDS) as readonly Guard[];

/** The planner without these guards. */
export function planWithout(...lacking: readonly Guard[]): Plan {
  const rules = lacking.reduce<Rules>((all, guard) => without(all, GUARDS[guard]), RULES);
  return (observed, goal, expired = []) => planWith(rules, observed, goal, expired);
}

function without(rules: Rules, { invariants = [], stages = [], late }: Lacks): Rules {
  const lack = (all: readonly Stage[]) =>
    all.flatMap((stage) => {
      if (stages.includes(stage) || late?.stages.includes(stage)) return [];
      return stage === late?.after ? [stage, ...late.stages] : [stage];
    });
  return {
    stages: lack(rules.stages),
    settling: late === undefined ? lack(rules.settling) : rules.settling,
    invariants: rules.invariants.filter(({ name }) => !invariants.includes(name)),
  };
}
