/**
 * What an observation says, in the words that the planner and its invariants reason in. Each is a question with one answer;
 * none decides anything.
 */
import type { Machine, MachineId, Member, MemberId, Observed, OpTime, ReplicaSet, Timings } from './types.js';

/** How many of `voters` are a majority. */
export const majority = (voters: number): number => Math.floor(voters / 2) + 1;

export const machineOf = (observed: Observed, id: MachineId | null): Machine | undefined =>
  id === null ? undefined : observed.machines.find((machine) => machine.id === id);

/** Whether a member that carries a machine's tag is the one that the machine runs. */
export const isOwn = (machine: Machine, member: Member): boolean =>
  member.machine === machine.id && (machine.memberId === null || machine.memberId === member.id);

/** The same member, without its machine where no known machine runs it: how it should be called in front of people. */
export function asKnown(observed: Observed, member: Member): Member {
  const machine = machineOf(observed, member.machine);
  return machine !== undefined && isOwn(machine, member) ? member : { ...member, machine: null };
}

/** The member that the machine runs; one that carries its tag under another `_id` is somebody's handiwork. */
export function memberOf(observed: Observed, id: MachineId): Member | undefined {
  const machine = machineOf(observed, id);
  return machine && observed.set?.members.find((member) => isOwn(machine, member));
}

export const memberById = (set: ReplicaSet | null, id: MemberId): Member | undefined =>
  set?.members.find((member) => member.id === id);

export const votersOf = (set: ReplicaSet): readonly Member[] => set.members.filter((member) => member.votes === 1);

export const isVoter = (member: Member): boolean => member.votes === 1;

/** It answers, and as a member that can acknowledge writes. */
export const answers = (member: Member): boolean =>
  member.healthy && (member.state === 'PRIMARY' || member.state === 'SECONDARY');

/** It lives, and the primary does not hear it. */
export const isCutOff = (member: Member): boolean => member.cutOffMs !== undefined;

/** It answers, and is in touch with the primary, where there is one. */
export const isInTouch = (member: Member): boolean => answers(member) && !isCutOff(member);

/** Healthy for counting majorities. A member of no known machine never is: nobody could say when it goes. */
export function isHealthy(observed: Observed, member: Member): boolean {
  const machine = machineOf(observed, member.machine);
  return (
    isInTouch(member) &&
    machine !== undefined &&
    isOwn(machine, member) &&
    machine.life !== 'dead' &&
    machine.instance !== 'terminated'
  );
}

/** Order of two optimes: negative when `a` is older. */
export const compareOpTimes = (a: OpTime, b: OpTime): number => a.t - b.t || a.s - b.s || a.i - b.i;

/** It has applied all that the primary had applied when the observation began. A state name is no evidence of that. */
export function isCaughtUp(set: ReplicaSet, member: Member): boolean {
  if (!answers(member)) return false;
  if (member.id === set.primary) return true;
  return set.reference !== null && member.optime !== null && compareOpTimes(member.optime, set.reference) >= 0;
}

/** The member that answers and holds most, a voter before another one that holds as much. */
export function fullest(set: ReplicaSet): Member | undefined {
  const most = (a: Member, b: Member): number =>
    a.optime && b.optime ? compareOpTimes(b.optime, a.optime) : Number(a.optime === null) - Number(b.optime === null);
  return set.members.filter(answers).sort((a, b) => most(a, b) || b.votes - a.votes)[0];
}

/** It is a controller by its document: alive, with the job that runs mongod. */
export const isController = (machine: Machine): boolean =>
  machine.life === 'alive' && machine.jobs.includes('manage-state');

export const hasControllerJob = (machine: Machine): boolean =>
  machine.jobs.includes('manage-state') || machine.jobs.includes('manage-environ');

/** Its agent was heard once and is not any more. One that was never heard is not silent: nothing may have been written yet. */
export const isSilent = (machine: Machine): boolean => machine.agent === 'down' || machine.agent === 'stopped';

export const runsServices = (machine: Machine): boolean =>
  machine.services.mongod || machine.services.api || machine.services.worker;

/** Its mongod runs, and its address and member ID are known. */
export const canJoin = (machine: Machine): boolean =>
  machine.services.mongod && machine.mongo !== null && machine.memberId !== null;

export const servesFully = (machine: Machine): boolean =>
  machine.agent === 'started' && machine.services.mongod && machine.services.api && machine.services.worker;

/** Clients may be told of it: a controller by its document that is not on its way out silently. */
export const mayBePublished = (machine: Machine): boolean =>
  hasControllerJob(machine) && (machine.life === 'alive' || (machine.life === 'dying' && !isSilent(machine)));

/** Its instance is gone for good, or never was. */
export const instanceGone = (machine: Machine): boolean =>
  machine.instance === 'terminated' || machine.instance === 'none';

/** Started agents that have not taken the published address set yet. Silent ones cannot, and find it by its URL later. */
export const withoutAddresses = (observed: Observed): readonly Machine[] =>
  observed.machines.filter(
    (machine) =>
      machine.life !== 'dead' && machine.agent === 'started' && machine.addressVersion < observed.addresses.version,
  );

/** Agents of machines that are no concern otherwise, and have not taken it either. */
export const othersLate = (observed: Observed): number => observed.othersLate ?? 0;

/** By number where IDs are numbers, so that machine 10 comes after machine 9. */
export const byId = (a: { readonly id: string }, b: { readonly id: string }): number =>
  Number(a.id) - Number(b.id) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

export const sameTimings = (a: Timings, b: Timings): boolean =>
  a.heartbeatMs === b.heartbeatMs && a.electionMs === b.electionMs;

export const sameIds = (a: readonly MachineId[], b: readonly MachineId[]): boolean =>
  a.length === b.length && a.every((id) => b.includes(id));

/**
 * Machines that were heard and are not any more: the cloud is asked about their instances at once. Without a primary no
 * presence can be written, so there it is the member that is not heard.
 */
export function silentMachines(observed: Observed): readonly MachineId[] {
  const withoutPrimary = observed.set !== null && observed.set.primary === null;
  const mute = (id: MachineId) => {
    const member = memberOf(observed, id);
    return withoutPrimary && member !== undefined && !answers(member);
  };
  return observed.machines.filter((machine) => isSilent(machine) || mute(machine.id)).map(({ id }) => id);
}

/** Machines that are not heard, or not yet although they have an instance: the cloud is asked about them now and then. */
export function unheardMachines(observed: Observed): readonly MachineId[] {
  const booting = observed.machines.filter(({ agent, instance }) => agent === 'pending' && instance !== 'none');
  return [...silentMachines(observed), ...booting.map(({ id }) => id)];
}
