/**
 * A small world in which every step succeeds: what `explainPlan` walks through, and what the tests break things in.
 * Deeds take effect at once; what follows from them by itself (booting, copying, stopping) comes with `proceed`.
 */
import { isReconfig, membersAfter } from './config.js';
import { answers, hasControllerJob, isCaughtUp, isVoter, majority, votersOf } from './facts.js';
import { order } from './succession.js';
import type { Deed, Machine, MachineId, Member, MemberId, Observed, OpTime, ReplicaSet, Step } from './types.js';

/** The world after a deed was done, before anything that follows from it. */
export function apply(observed: Observed, deed: Deed): Observed {
  const { set } = observed;
  if (set !== null && isReconfig(deed)) {
    const forced = deed.kind === 'force-survivor';
    const members = membersAfter(observed, set, deed);
    const version = set.version + (forced ? 10_000 : 1);
    const primary = forced ? deed.member : set.primary;
    const timings = deed.kind === 'set-timings' ? deed.timings : set.timings;
    const after = { ...set, timings, version, members, primary, notes: [] };
    return { ...observed, set: forced ? crown(after, deed.member) : after };
  }
  switch (deed.kind) {
    case 'add-machines':
      return {
        ...observed,
        machines: [
          ...observed.machines,
          ...Array.from({ length: deed.count }, (_, i) => newMachine(observed, deed.zones, i)),
        ],
        next: { machine: observed.next.machine + deed.count, member: observed.next.member + deed.count },
      };
    case 'add-jobs':
      return {
        ...change(observed, deed.machines, (machine) => ({
          jobs: [...machine.jobs, 'manage-state', 'manage-environ'],
          memberId: observed.next.member + deed.machines.indexOf(machine.id),
        })),
        next: { ...observed.next, member: observed.next.member + deed.machines.length },
      };
    case 'hand-over':
      return set === null ? observed : { ...observed, set: crown(set, deed.member) };
    case 'publish':
      return { ...observed, addresses: { version: observed.addresses.version + 1, machines: deed.machines } };
    case 'drop-jobs':
      return change(observed, deed.machines, (machine) => {
        const jobs = machine.jobs.filter((job) => job === 'host-units');
        return { jobs, life: jobs.length === 0 ? 'dying' : machine.life };
      });
    case 'renew-member':
      return {
        ...change(observed, [deed.machine], (machine) => ({
          memberId: observed.next.member,
          resyncs: machine.resyncs + 1,
          services: { ...machine.services, mongod: false },
        })),
        next: { ...observed.next, member: observed.next.member + 1 },
      };
    case 'mark-dying':
      return change(observed, deed.machines, () => ({ life: 'dying' }));
    case 'mark-dead':
      return change(observed, deed.machines, () => ({ life: 'dead' }));
    case 'terminate':
      return lose(observed, deed.machine);
    default:
      return observed;
  }
}

/** The world after what a wait waits for has come about. */
export function proceed(observed: Observed, wait: Extract<Step, { kind: 'wait' }>): Observed {
  const { set } = observed;
  switch (wait.for) {
    case 'boot':
    case 'services':
      return change(observed, wait.machines, (machine) => ({
        agent: 'started',
        instance: 'running',
        mongo: machine.mongo ?? `10.0.0.${machine.id}:37017`,
        services: { mongod: true, api: true, worker: true },
        addressVersion: observed.addresses.version,
      }));
    case 'caught-up':
    case 'healthy':
      return awaken(observed, wait.machines);
    case 'primary':
      return { ...observed, set: set && elect(set) };
    case 'committed':
      return { ...observed, set: set && { ...set, committed: true } };
    case 'settled':
      return { ...observed, set: set && { ...set, unsettled: null } };
    case 'agents':
      // Of all other machines, as one.
      if (wait.machines.length === 0) return { ...observed, othersLate: 0 };
      return change(observed, wait.machines, () => ({ addressVersion: observed.addresses.version }));
    case 'services-stopped':
      return change(observed, wait.machines, () => ({ services: { mongod: false, api: false, worker: false } }));
    case 'instances-gone':
      return change(observed, wait.machines, () => ({ instance: 'terminated', agent: 'down' }));
  }
}

/** The machine is gone for good, as when its instance is terminated in the provider's console. */
export function lose(observed: Observed, id: MachineId): Observed {
  const without = change(observed, [id], (machine) => ({
    instance: 'terminated',
    agent: machine.agent === 'pending' ? 'pending' : 'down',
    services: { mongod: false, api: false, worker: false },
  }));
  return { ...without, set: without.set && silence(without.set, id) };
}

/** Its member stops answering; who was primary there is no more. */
export function silence(set: ReplicaSet, id: MachineId): ReplicaSet {
  const member = set.members.find((other) => other.machine === id);
  if (member === undefined) return set;
  const members = set.members.map(
    (other): Member =>
      other.id === member.id ? { ...other, state: 'DOWN', healthy: false, optime: null, lagMs: null } : other,
  );
  const primary = set.primary === member.id ? null : set.primary;
  const alive = members.filter((other) => isVoter(other) && answers(other)).length;
  const kept = alive >= majority(votersOf(set).length) ? primary : null;
  return { ...set, members: kept === primary ? members : members.map(stepDown), primary: kept };
}

const stepDown = (member: Member): Member => (member.state === 'PRIMARY' ? { ...member, state: 'SECONDARY' } : member);

/** MongoDB's election, when a majority of the voters answers: the first in succession that lacks nothing. */
export function elect(set: ReplicaSet): ReplicaSet {
  if (set.primary !== null || votersOf(set).filter(answers).length < majority(votersOf(set).length)) return set;
  const heirs = order({ primary: null, members: set.members.map((member) => ({ ...member, zone: '' })) }).flatMap(
    (id) => set.members.filter((member) => member.id === id && answers(member)),
  );
  const heir = heirs.find((member) => isCaughtUp(set, member)) ?? heirs[0];
  return heir === undefined ? set : crown(set, heir.id);
}

function crown(set: ReplicaSet, primary: MemberId): ReplicaSet {
  const reference: OpTime = set.reference ?? { t: set.term, s: 1, i: 0 };
  const members = set.members.map(
    (member): Member =>
      member.id === primary ? { ...member, state: 'PRIMARY', optime: reference, lagMs: 0 } : stepDown(member),
  );
  return { ...set, members, primary, reference, term: set.term + 1, notes: [] };
}

/** These machines are there again with all the data, but for those whose instances are gone for good. */
function awaken(observed: Observed, machines: readonly MachineId[]): Observed {
  const { set } = observed;
  const back = observed.machines.filter(
    (machine) => machines.includes(machine.id) && machine.instance !== 'terminated',
  );
  const ids = back.map((machine) => machine.id);
  const members = set?.members.map((member): Member => {
    if (member.machine === null || !ids.includes(member.machine) || member.state === 'PRIMARY') return member;
    const { cutOffMs: _, ...rest } = member;
    return { ...rest, healthy: true, state: 'SECONDARY', optime: set.reference, lagMs: 0, downMs: 0 };
  });
  return {
    ...change(observed, ids, (machine) => ({
      agent: 'started',
      silentMs: 0,
      instance: 'running',
      services: hasControllerJob(machine) ? { mongod: true, api: true, worker: true } : machine.services,
    })),
    set: set && members ? elect({ ...set, members }) : set,
  };
}

export function change(
  observed: Observed,
  ids: readonly MachineId[],
  to: (machine: Machine) => Partial<Machine>,
): Observed {
  return {
    ...observed,
    machines: observed.machines.map((machine) => (ids.includes(machine.id) ? { ...machine, ...to(machine) } : machine)),
  };
}

const newMachine = (observed: Observed, zones: readonly string[], i: number): Machine => ({
  id: String(observed.next.machine + i),
  jobs: ['manage-state', 'manage-environ'],
  life: 'alive',
  zone: zones[i] ?? '',
  memberId: observed.next.member + i,
  mongo: null,
  instance: 'pending',
  problem: '',
  agent: 'pending',
  silentMs: 0,
  services: { mongod: false, api: false, worker: false },
  addressVersion: 0,
  ageMs: 0,
  maintenance: false,
  resyncs: 0,
});
