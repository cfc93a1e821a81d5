import { hasControllerJob, isOwn, isVoter, machineOf } from './facts.js';
import type { Seats } from './seats.js';
import type { Expired, Goal, Machine, MachineId, Member, Observed, ReplicaSet } from './types.js';

/** All that a step is judged by: one observation of a set that answers, what is wanted, and who is to stay. */
export interface Situation {
  readonly observed: Observed;
  readonly set: ReplicaSet;
  readonly goal: Goal;
  readonly expired: readonly Expired[];
  readonly seats: Seats;
}

export const idsOf = (machines: readonly Machine[]): readonly MachineId[] => machines.map((machine) => machine.id);

export const stayingMachines = ({ observed, seats }: Situation): readonly Machine[] =>
  observed.machines.filter((machine) => seats.stay.includes(machine.id));

export function isStaying({ observed, seats }: Situation, member: Member): boolean {
  if (member.machine === null || !seats.stay.includes(member.machine)) return false;
  const machine = machineOf(observed, member.machine);
  return machine !== undefined && isOwn(machine, member);
}

export const leavingMembers = (situation: Situation): readonly Member[] =>
  situation.set.members.filter((member) => !isStaying(situation, member));

export const leavingVoters = (situation: Situation): readonly Member[] => leavingMembers(situation).filter(isVoter);

/** Members that are to vote and do not yet, oldest first. */
export const joiners = (situation: Situation): readonly Member[] =>
  situation.set.members.filter((member) => !isVoter(member) && isStaying(situation, member));

/** It is, or was until its jobs were dropped, a controller: a workload's machine on its way out is none of ours. */
export const wasController = (machine: Machine): boolean =>
  hasControllerJob(machine) || !machine.jobs.includes('host-units');
