import { answers, byId, isController, isVoter, memberOf } from './facts.js';
import type { Expired, Goal, Machine, MachineId, Observed } from './types.js';
import { verdict } from './verdict.js';
import { failedToStart } from './waits.js';
import { spread } from './zones.js';

/** Who is to be a controller in the end, who leaves, and how many are still missing. */
export interface Seats {
  /** Machines that have the controller's jobs and stay, by ID. */
  readonly stay: readonly MachineId[];
  /** Machines of `goal.to` that get the jobs. */
  readonly convert: readonly MachineId[];
  /** Machines to start besides. */
  readonly start: number;
}

/**
 * Chooses who stays. First those that must (`keep`, then `to`), never those to avoid; then those that vote and answer,
 * the primary before the others; then those that answer, those on their way, those that are away. Among equals the zone
 * that has fewest, then the oldest machine. The same facts always give the same choice.
 */
export function seats(observed: Observed, goal: Goal, expired: readonly Expired[]): Seats {
  const chosen: Machine[] = [];
  const candidates = observed.machines.filter((machine) => isSeatable(observed, machine, goal, expired)).sort(byId);
  const ranks = new Map(candidates.map((machine) => [machine.id, rank(observed, machine, goal, expired)]));
  const crowd = (machine: Machine) => chosen.filter((other) => other.zone === machine.zone).length;
  while (chosen.length < goal.controllers && candidates.length > 0) {
    let best = 0;
    for (let i = 1; i < candidates.length; i++) {
      const [a, b] = [candidates[i] as Machine, candidates[best] as Machine];
      if (((ranks.get(a.id) as number) - (ranks.get(b.id) as number) || crowd(a) - crowd(b)) < 0) best = i;
    }
    chosen.push(...candidates.splice(best, 1));
  }
  const missing = goal.controllers - chosen.length;
  const convert = goal.to
    .filter((id) => !failedToStart(expired, id))
    .filter((id) => observed.machines.some((machine) => machine.id === id && canBecomeController(machine)))
    .slice(0, missing);
  return { stay: chosen.sort(byId).map((machine) => machine.id), convert, start: missing - convert.length };
}

/** It could be a controller at the end: it is one by its document, nobody asked to avoid it, and it is not given up. */
function isSeatable(observed: Observed, machine: Machine, goal: Goal, expired: readonly Expired[]): boolean {
  if (!isController(machine) || goal.avoid.includes(machine.id)) return false;
  const found = verdict(observed, machine, expired);
  return found !== 'lost' && found !== 'failing';
}

/** An existing machine that `--to` may name. */
export const canBecomeController = (machine: Machine): boolean =>
  machine.life === 'alive' && !isController(machine) && machine.instance !== 'terminated';

function rank(observed: Observed, machine: Machine, goal: Goal, expired: readonly Expired[]): number {
  if (machine.id === goal.primary || goal.keep.includes(machine.id)) return 0;
  if (goal.to.includes(machine.id)) return 1;
  const member = memberOf(observed, machine.id);
  if (member !== undefined && answers(member)) {
    if (isVoter(member)) return member.id === observed.set?.primary ? 2 : 3;
    return 4;
  }
  return verdict(observed, machine, expired) === 'away' ? 6 : 5;
}

/** Zones for `count` new machines: each goes where fewest of those that stay are, in the cloud's order. */
export function zonesFor(observed: Observed, stay: readonly MachineId[], count: number): readonly string[] {
  const used = observed.machines.filter((machine) => stay.includes(machine.id)).map((machine) => machine.zone);
  return spread(observed.zones, used, count);
}
