/** The waits: how long each may last, and which of those that ended still say something. */
import { answers, isCaughtUp, isInTouch, isSilent, machineOf, memberOf, othersLate, servesFully } from './facts.js';
import type { Deed, Expired, Grace, Machine, MachineId, Member, Observed, Step, WaitFor } from './types.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Longest waits. How long a controller that does not answer is waited for is the environment's `grace`. */
export const DEADLINES: Readonly<Record<WaitFor, number>> = {
  boot: 5 * MINUTE,
  primary: 30 * SECOND,
  'caught-up': 5 * MINUTE,
  committed: MINUTE,
  settled: MINUTE,
  agents: 30 * SECOND,
  services: MINUTE,
  'services-stopped': 30 * SECOND,
  'instances-gone': MINUTE,
  healthy: 10 * MINUTE,
};

/** An agent that is silent for so long beside a member that answers is not waited for any more. */
export const DEGRADED_MS = 30 * MINUTE;

/** A silent agent may have been silent for long when its member goes too; even then the member gets this long. */
const MEMBER_BLIP = 3 * SECOND;

/** Rounds of machines that did not come up before a person is asked. */
export const MAX_FAILED_STARTS = 3;

/** The environment settings' defaults on the local cloud. */
export const LOCAL_GRACE: Grace = {
  stoppedMs: 0,
  runningMs: 15 * SECOND,
  silentMs: 15 * SECOND,
  memberMs: 10 * MINUTE,
};

/**
 * Milliseconds that nothing was heard of a machine. Without a primary no presence is written: an agent's silence stands still, and
 * only the members tell.
 */
export function silenceOf({ set }: Observed, machine: Machine, member: Member | undefined): number {
  const downMs = member?.downMs ?? 0;
  if (!isSilent(machine)) return downMs;
  return set?.primary == null ? Math.max(machine.silentMs, downMs) : machine.silentMs;
}

/** How much longer a silent machine is waited for, and its member where it has one. */
export function graceLeft(observed: Observed, machine: Machine, member: Member | undefined): number {
  const { grace } = observed;
  const silentMs = silenceOf(observed, machine, member);
  if (machine.instance === 'stopped') return Math.max(0, grace.stoppedMs - silentMs);
  const runs = machine.instance === 'running' && machine.checks !== 'failing';
  const whole = runs ? grace.runningMs : grace.silentMs;
  const blip = member === undefined ? 0 : Math.min(MEMBER_BLIP, whole) - member.downMs;
  return Math.max(0, blip, whole - silentMs);
}

/** Whether such a wait ended at its deadline, for this machine or (without one) for the whole set. */
export const hasExpired = (expired: readonly Expired[], what: WaitFor, machine?: MachineId): boolean =>
  expired.some((wait) => wait.for === what && (machine === undefined || wait.machines.includes(machine)));

/** Whether the wait for the agents of all other machines did. */
export const othersHaveExpired = (expired: readonly Expired[]): boolean =>
  expired.some((wait) => wait.for === 'agents' && wait.machines.length === 0);

/** Rounds in which machines that were to become controllers did not come up, in this change. */
export const failedStarts = (expired: readonly Expired[]): number =>
  expired.filter((wait) => wait.for === 'boot' || wait.for === 'services' || wait.for === 'caught-up').length;

/** Whether this machine was one of them. */
export const failedToStart = (expired: readonly Expired[], id: MachineId): boolean =>
  hasExpired(expired, 'boot', id) || hasExpired(expired, 'services', id) || hasExpired(expired, 'caught-up', id);

export function wait(
  what: WaitFor,
  machines: readonly MachineId[],
  words: { readonly text: string; readonly reason: string; readonly otherwise: string },
  deadlineMs: number = DEADLINES[what],
): Step {
  return { kind: 'wait', for: what, machines, ...words, deadlineMs };
}

/**
 * The expired waits that still say something: what was waited for has not come after all. One that has come is forgotten,
 * so that it is waited for again when it goes another time. A boot that failed is remembered for the whole change: its
 * machine never gets another chance, and repeated failures must have an end.
 */
export function stillExpired(observed: Observed, expired: readonly Expired[]): readonly Expired[] {
  return expired.flatMap((wait) => {
    if (wait.for === 'boot') return [wait];
    if (wait.machines.length === 0) return setStillLacks(observed, wait.for) ? [wait] : [];
    const lacking = wait.machines.filter((id) => machineStillLacks(observed, wait.for, id));
    const failing = wait.for === 'caught-up' ? lacking.filter((id) => !memberAnswers(observed, id)) : [];
    // One that fails explains the wait: those that only lagged behind beside it are waited for anew.
    const machines = failing.length > 0 ? failing : lacking;
    return machines.length === 0 ? [] : [{ for: wait.for, machines }];
  });
}

/** After a deed was done: a machine that starts anew is waited for anew. */
export function afterDeed(expired: readonly Expired[], deed: Deed): readonly Expired[] {
  if (deed.kind !== 'renew-member') return expired;
  return expired.flatMap((wait) => {
    const machines = wait.machines.filter((id) => id !== deed.machine);
    return machines.length === wait.machines.length ? [wait] : machines.length === 0 ? [] : [{ ...wait, machines }];
  });
}

function setStillLacks(observed: Observed, what: WaitFor): boolean {
  const set = observed.set;
  if (what === 'committed') return set === null || !set.committed;
  if (what === 'agents') return othersLate(observed) > 0;
  if (what === 'settled') return set === null || set.unsettled !== null;
  return set === null || set.primary === null;
}

function memberAnswers(observed: Observed, id: MachineId): boolean {
  const member = memberOf(observed, id);
  return member !== undefined && answers(member);
}

function machineStillLacks(observed: Observed, what: WaitFor, id: MachineId): boolean {
  const machine = machineOf(observed, id);
  const member = memberOf(observed, id);
  switch (what) {
    case 'healthy':
      if (member !== undefined) return !isInTouch(member);
      // One that clients are told of was a voter: that its member is gone now is no answer.
      return (
        machine === undefined ||
        isSilent(machine) ||
        !machine.services.mongod ||
        observed.addresses.machines.includes(id)
      );
    case 'caught-up':
      return member === undefined || observed.set === null || !isCaughtUp(observed.set, member);
    case 'services':
      return machine === undefined || !servesFully(machine);
    case 'agents':
      return machine !== undefined && machine.addressVersion < observed.addresses.version;
    case 'services-stopped':
    case 'instances-gone':
      return machine !== undefined;
    default:
      return setStillLacks(observed, what);
  }
}
