import { type QuorateError, usageError } from '../errors.js';
import type { Life, MachineId } from '../membership/types.js';
import { refuseBadCidr } from './cidrs.js';
import { countPorts, overlap, type PortRange, type PortRule, portsText, refuseReversed, samePorts } from './ports.js';

/** Each port of the local cloud takes a socket, and other clouds count rules. */
export const MOST_RULES = 50;
export const MOST_PORTS = 1000;

/** A machine whose ports are to be exposed or not any more. */
export interface Exposing {
  readonly id: MachineId;
  readonly life: Life;
  readonly rules: readonly PortRule[];
}

/**
 * The rules of a machine with these besides, in order. Ports that are exposed already are from now on for whom is asked
 * now. Refuses ranges that overlap without being the same, and a machine that is not alive. Pure.
 */
export function withExposed({ id, life, rules }: Exposing, asked: readonly PortRule[]): PortRule[] {
  if (life !== 'alive') {
    throw usageError('machine-not-alive', `Machine ${id} is ${life}: nothing is exposed on it any more.`);
  }
  for (const rule of asked) {
    refuseReversed(rule);
    for (const cidr of rule.cidrs) refuseBadCidr(cidr);
  }
  const kept = rules.filter((rule) => !asked.some((each) => samePorts(each, rule)));
  for (const [index, rule] of asked.entries()) {
    const before = asked.slice(0, index).find((each) => overlap(each, rule));
    if (before !== undefined) throw overlapping(rule, before, 'they are both asked for', 'Say each port once.');
    const there = kept.find((each) => overlap(each, rule));
    if (there === undefined) continue;
    const way = `Have the one in place of the other: quorate unexpose ${id} ${portsText(there)}`;
    throw overlapping(rule, there, `machine ${id} has ${portsText(there)} exposed`, way);
  }
  const all = [...kept, ...asked].sort((a, b) => a.protocol.localeCompare(b.protocol) || a.from - b.from);
  refuseTooMany(id, all);
  return all;
}

/** The rules of a machine without these ports; refuses ports that are not exposed just so. Pure. */
export function withoutExposed({ id, rules }: Omit<Exposing, 'life'>, ports: readonly PortRange[]): PortRule[] {
  for (const range of ports) {
    if (rules.some((rule) => samePorts(rule, range))) continue;
    const near = rules.find((rule) => overlap(rule, range));
    const text = portsText(range);
    if (near !== undefined) {
      throw notExposed(`Machine ${id} has ${portsText(near)} exposed, as a whole, and not ${text}.`, rules);
    }
    throw notExposed(`${text} is not exposed on machine ${id}.`, rules);
  }
  return rules.filter((rule) => !ports.some((range) => samePorts(rule, range)));
}

/** Whether both let in the same to the same ports, in whatever order they are said. Pure. */
export function sameRules(a: readonly PortRule[], b: readonly PortRule[]): boolean {
  const text = (rules: readonly PortRule[]) =>
    rules
      .map((rule) => `${portsText(rule)} ${[...rule.cidrs].sort().join(',')}`)
      .sort()
      .join('\n');
  return text(a) === text(b);
}

function refuseTooMany(id: MachineId, rules: readonly PortRule[]): void {
  const ports = countPorts(rules);
  if (ports > MOST_PORTS) {
    throw usageError(
      'too-many-ports',
      `Machine ${id} would have ${ports} ports exposed; it has ${MOST_PORTS} at most.`,
    );
  }
  if (rules.length > MOST_RULES) {
    const message = `Machine ${id} would have ${rules.length} ranges of ports exposed; it has ${MOST_RULES} at most.`;
    throw usageError('too-many-ports', message, 'Put ports in a row into one range.');
  }
}

function overlapping(rule: PortRange, other: PortRange, why: string, todo: string): QuorateError {
  return usageError('overlapping-ports', `${portsText(rule)} overlaps with ${portsText(other)}: ${why}.`, todo);
}

function notExposed(message: string, rules: readonly PortRule[]): QuorateError {
  const there = rules.map(portsText).join(', ');
  return usageError('not-exposed', message, there === '' ? 'Nothing is exposed there.' : `Exposed there: ${there}.`);
}
