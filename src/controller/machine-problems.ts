import type { MachineStatus } from '../api/status.js';
import type { MachineDocument } from '../state/documents.js';

/** So many machines are named in one sentence; of more it says how many. */
const NAMED = 5;

/** What is wrong with machines: starts that fail, of controllers too, and workload machines that are gone or cannot finish. */
export function machineProblems(
  machines: readonly Pick<MachineDocument, '_id' | 'provisioningError' | 'ingress' | 'instance'>[],
  workload: readonly MachineStatus[],
): string[] {
  return [
    ...failedStarts(machines),
    ...failedBoots(machines),
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
