import type { Life, MachineId } from '../membership/types.js';
import { sameRules } from './exposure.js';
import type { PortRule } from './ports.js';

/** What is open of an instance, as its cloud says. */
export interface OpenPorts {
  /** Instance ID. */
  readonly instance: string;
  readonly rules: readonly PortRule[];
}

/** Of a machine's document, what its ports are judged by. */
export interface PortsOwner {
  readonly _id: MachineId;
  readonly life: Life;
  readonly instance: { readonly id: string; readonly state: string } | null;
  readonly ingress?:
    | { readonly rules: readonly PortRule[]; readonly version: number; readonly applied: number }
    | undefined;
}

/**
 * Whether a machine's ports can be let in to at all: it has an instance that is not gone. One that is dying keeps them until
 * its agent has finished. Pure.
 */
export function hasPorts({ life, instance }: PortsOwner): boolean {
  return life !== 'dead' && instance !== null && instance.state !== 'terminated';
}

/** Whether the rules that are wanted are not in effect yet. Pure. */
export function toOpen(machine: PortsOwner): boolean {
  return hasPorts(machine) && machine.ingress !== undefined && machine.ingress.applied !== machine.ingress.version;
}

/**
 * What is open by the cloud's word against what is known to be in effect: machines where it is something else, and instances
 * that have ports open though no machine wants it. Machines whose ports are to be opened anyway are no news. Pure.
 */
export function leftOpen(
  machines: readonly PortsOwner[],
  open: readonly OpenPorts[],
): { readonly differing: readonly MachineId[]; readonly leftovers: readonly string[] } {
  const owners = machines.filter(hasPorts);
  const rulesOf = new Map(open.map(({ instance, rules }) => [instance, rules]));
  const differing = owners.filter(
    ({ instance, ingress }) =>
      instance !== null &&
      ingress !== undefined &&
      ingress.applied === ingress.version &&
      !sameRules(ingress.rules, rulesOf.get(instance.id) ?? []),
  );
  const owned = new Set(owners.map(({ instance }) => instance?.id));
  return {
    differing: differing.map(({ _id }) => _id),
    leftovers: open
      .filter(({ instance, rules }) => rules.length > 0 && !owned.has(instance))
      .map(({ instance }) => instance),
  };
}
