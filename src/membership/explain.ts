import { isReconfig, membersAfter } from './config.js';
import { isController, isVoter, machineOf, majority, votersOf } from './facts.js';
import { plan } from './plan.js';
import { seats } from './seats.js';
import { apply, proceed } from './simulate.js';
import type { Expired, Goal, MachineId, Observed, Step } from './types.js';
import { afterDeed } from './waits.js';
import { count, list } from './words.js';

/** One line of `--plan`. */
export interface ExplainedStep {
  readonly text: string;
  readonly reason: string;
  /** What changes with it: the majority, zones, or how long it is waited for and what then. Empty where nothing does. */
  readonly note: string;
}

/** All that a change would do if nothing went wrong. */
export interface Explanation {
  readonly maintaining: readonly MachineId[];
  /** New machines, with the IDs that they would get. */
  readonly adding: readonly MachineId[];
  readonly converting: readonly MachineId[];
  readonly removing: readonly MachineId[];
  readonly steps: readonly ExplainedStep[];
  /** `done`, or why it would come to a stand. */
  readonly end: Extract<Step, { kind: 'done' | 'blocked' }>;
  readonly newInstances: number;
  readonly warnings: readonly string[];
}

/** No change is longer: seven controllers replaced by seven others take fewer. */
const MOST_ROUNDS = 300;

/** Plans against a world in which every step succeeds. Nothing is done. */
export function explainPlan(observed: Observed, goal: Goal): Explanation {
  const chosen = seats(observed, goal, []);
  const steps: ExplainedStep[] = [];
  let expired: readonly Expired[] = [];
  let world = observed;
  let newInstances = 0;
  let end: Explanation['end'] | null = null;
  for (let round = 0; end === null && round < MOST_ROUNDS; round++) {
    const step = plan(world, goal, expired);
    if (step.kind === 'done' || step.kind === 'blocked') {
      end = step;
      break;
    }
    const again = steps.at(-1)?.text === step.text;
    if (!again) steps.push({ text: step.text, reason: step.reason, note: noteOf(world, step) });
    if (step.kind === 'do') {
      if (step.deed.kind === 'add-machines') newInstances += step.deed.count;
      world = apply(world, step.deed);
      expired = afterDeed(expired, step.deed);
    } else if (again) {
      expired = [...expired, { for: step.for, machines: step.machines }];
    } else {
      world = proceed(world, step);
    }
  }
  const stay = seats(world, goal, expired).stay;
  const before = observed.machines.filter(isController).map((machine) => machine.id);
  return {
    maintaining: before.filter((id) => stay.includes(id)),
    adding: stay.filter((id) => machineOf(observed, id) === undefined),
    converting: chosen.convert,
    removing: before.filter((id) => !stay.includes(id)),
    steps,
    end: end ?? {
      kind: 'blocked',
      reason: 'No end of the change is in sight.',
      wayOut: 'This is a defect: please report it.',
    },
    newInstances,
    warnings: warningsOf(world, stay),
  };
}

function noteOf(world: Observed, step: Extract<Step, { kind: 'do' | 'wait' }>): string {
  if (step.kind === 'wait') return `at most ${duration(step.deadlineMs)}, then: ${step.otherwise}`;
  const { deed } = step;
  if (deed.kind === 'add-machines') return zonesText(deed.zones);
  if (world.set === null || !isReconfig(deed)) return '';
  const before = votersOf(world.set).length;
  const after = membersAfter(world, world.set, deed).filter(isVoter).length;
  const of = `${majority(after)} of ${after}`;
  if (after === before) return `the majority stays ${of}`;
  return `the majority becomes ${of}${after === 2 ? ': either loss is survivable (docs/membership.md)' : ''}`;
}

const zonesText = (zones: readonly string[]): string => {
  const named = [...new Set(zones)].filter((zone) => zone !== '');
  return named.length === 0 ? '' : `${named.length === 1 ? 'zone' : 'zones'} ${list(named)}`;
};

function duration(ms: number): string {
  return ms % 60_000 === 0 && ms > 0 ? `${ms / 60_000} min` : `${Math.round(ms / 1000)} s`;
}

/** What an operator would want to know of the environment as the change leaves it. */
function warningsOf(world: Observed, stay: readonly MachineId[]): readonly string[] {
  const zones = stay.map((id) => machineOf(world, id)?.zone ?? '').filter((zone) => zone !== '');
  const crowded = [...new Set(zones)].find(
    (zone) => zones.filter((other) => other === zone).length >= majority(stay.length),
  );
  const warnings: string[] = [];
  if (stay.length > 1 && crowded !== undefined) {
    const there = zones.filter((zone) => zone === crowded).length;
    warnings.push(
      `${there} of ${count(stay.length, 'controller')} would be in zone ${crowded}: losing it takes the majority.`,
    );
  }
  if (stay.length === 1) warnings.push('With one controller, losing it stops the environment.');
  return warnings;
}
