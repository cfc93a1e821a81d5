import type { MachineStatus } from '../api/status.js';
import type { MachineDocument } from '../state/documents.js';

/** So many machines are named in one sentence; of more it says how many. */
const NAMED = 5;

/**
 * What is wrong with machines: starts that fail and instances that are not well, of controllers too, and workload machines
 * that are gone or cannot finish.
 */
export function machineProblems(
  machines: readonly Pick<MachineDocument, '_id' | 'jobs' | 'life' | 'provisioningError' | 'ingress' | 'instance'>[],
  workload: readonly MachineStatus[],
): string[] {
  return [
    ...failedStarts(machines),
    ...failedBoots(machines),
    ...unwell(machines),
    ...retiring(machines),
    ...gone(workload),
    ...unfinished(workload),
    ...closed(machines),
  ];
}

/** One sentence for all that fail for the same reason. */
function failedStarts(machines: readonly Faulty[]): string[] {
  return byReason(machines.filter(({ instance }) => instance === null)).map(
    ([reason, ids]) =>
      `The instance of ${named(ids)} could not be started: ${reason} It is tried again by itself, or at once with: quorate retry-provisioning ${ids[0]}.`,
  );
}

/** The same for instances that are there and do not come up. */
function failedBoots(machines: readonly Faulty[]): string[] {
  return byReason(machines.filter(({ instance }) => instance !== null)).map(
    ([reason, ids]) => `The boot of ${named(ids)} does not go on: ${reason} It is tried again by itself.`,
  );
}

type Sick = Pick<MachineDocument, '_id' | 'jobs' | 'life' | 'instance'>;

/** By the cloud's own checks; who does not run has other troubles. */
function unwell(machines: readonly Sick[]): string[] {
  return machines.flatMap(({ _id, jobs, life, instance }) =>
    life === 'alive' && instance?.checks === 'failing' && instance.state === 'running'
      ? [
          `The cloud's own checks of instance ${instance.id}, machine ${_id}, fail: its hardware or its system does not answer. ${another(_id, jobs)}`,
        ]
      : [],
  );
}

/** What the cloud is going to stop or end by itself. */
function retiring(machines: readonly Sick[]): string[] {
  return machines.flatMap(({ _id, jobs, life, instance }) =>
    life === 'alive' && instance?.retiresAt && instance.state !== 'terminated'
      ? [
          `The cloud will stop or end instance ${instance.id}, machine ${_id}, at ${momentText(instance.retiresAt)}. ${another(_id, jobs)}`,
        ]
      : [],
  );
}

/** A controller is replaced in order; of others the operator alone knows what runs there. */
const another = (machine: string, jobs: MachineDocument['jobs']): string =>
  jobs.includes('manage-state')
    ? `Have another one in its place: quorate replace ${machine}.`
    : `Nothing replaces it by itself: quorate add-machine, and quorate remove-machine ${machine}.`;

/** "2026-01-02 03:04 UTC". */
const momentText = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`;

type Faulty = Pick<MachineDocument, '_id' | 'provisioningError' | 'instance'>;

function byReason(machines: readonly Faulty[]): [reason: string, ids: string[]][] {
  const reasons = new Map<string, string[]>();
  for (const { _id, provisioningError: reason } of machines) {
    if (reason !== '') reasons.set(reason, [...(reasons.get(reason) ?? []), _id]);
  }
  return [...reasons].map(([reason, ids]) => [reason.replace(/\.?$/, '.'), ids]);
}

/** Nobody brings them back: what ran on them is the operator's to decide about. */
function gone(workload: readonly MachineStatus[]): string[] {
  const of = (state: string, ...lives: MachineStatus['life'][]) =>
    workload.filter(({ life, instanceState }) => lives.includes(life) && instanceState === state).map(({ id }) => id);
  const [terminated, stopped] = [of('terminated', 'alive', 'dying'), of('stopped', 'alive')];
  return [
    ...(terminated.length === 0
      ? []
      : [
          `The instance of ${named(terminated)} is terminated, and is not replaced by itself: quorate remove-machine ${terminated[0]}, and another one with: quorate add-machine.`,
        ]),
    ...(stopped.length === 0
      ? []
      : [`The instance of ${named(stopped)} is stopped; it starts again from the cloud's own console.`]),
  ];
}

/** Exposed ports that are not open. */
function closed(machines: readonly Pick<MachineDocument, '_id' | 'ingress'>[]): string[] {
  return machines.flatMap(({ _id, ingress }) =>
    ingress === undefined || ingress.error === ''
      ? []
      : [`Machine ${_id} does not have all its exposed ports open: ${ingress.error} It is tried again by itself.`],
  );
}

function unfinished(workload: readonly MachineStatus[]): string[] {
  const waiting = workload.filter(
    ({ life, agent, instanceState }) => life === 'dying' && agent !== 'started' && instanceState !== 'terminated',
  );
  return waiting.map(
    ({ id }) =>
      `Machine ${id} is to be removed, and its agent is silent: end its instance with quorate remove-machine ${id} --force.`,
  );
}

function named(ids: readonly string[]): string {
  if (ids.length === 1) return `machine ${ids[0]}`;
  if (ids.length <= NAMED) return `machines ${ids.join(', ')}`;
  return `${ids.length} machines (${ids.slice(0, NAMED).join(', ')}, …)`;
}
