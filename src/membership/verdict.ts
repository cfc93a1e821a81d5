import { answers, canJoin, isSilent, isVoter, memberOf } from './facts.js';
import type { Expired, Machine, Observed } from './types.js';
import { DEGRADED_MS, hasExpired } from './waits.js';

/**
 * What the evidence says of a machine that is, or is to be, a controller.
 * - `well`: its member answers, or its mongod is ready to join.
 * - `starting`: it boots, starts its mongod or copies the data for the first time.
 * - `away`: it should answer and does not; waited for.
 * - `stale`: its agent is there, its member is of no use: made anew in place.
 * - `failing`: that did not help, or a newcomer's mongod does not come up, or its agent is gone for good: it leaves in order.
 * - `lost`: nothing of it answers, or the cloud says that it is gone: it is written off.
 */
export type Verdict = 'well' | 'starting' | 'away' | 'stale' | 'failing' | 'lost';

/** A member is made anew in place so often; a machine where even that does not help is replaced. */
export const MAX_RESYNCS = 2;

export function verdict(observed: Observed, machine: Machine, expired: readonly Expired[]): Verdict {
  const member = memberOf(observed, machine.id);
  const waitedFor = (what: Expired['for']) => hasExpired(expired, what, machine.id);
  if (member === undefined && machine.agent === 'pending') return waitedFor('boot') ? 'lost' : 'starting';
  if (machine.instance === 'terminated') return 'lost';
  if (member !== undefined && answers(member)) return isForsaken(machine) ? 'failing' : 'well';
  // Somebody said that it may be away: nothing but its cloud's word for its end is held against it.
  const waited = waitedFor('healthy') && !machine.maintenance;
  if (isSilent(machine)) return waited ? 'lost' : 'away';
  const again = machine.resyncs < MAX_RESYNCS ? 'stale' : 'failing';
  if (member !== undefined && isVoter(member)) return waited ? again : 'away';
  // What clients are told of was a voter before: it is none of those that never came up.
  const gaveUp = observed.addresses.machines.includes(machine.id) && !machine.maintenance ? again : 'failing';
  if (waitedFor('boot') && !canJoin(machine)) return 'failing';
  if (waitedFor('healthy') || waitedFor('services') || waitedFor('caught-up')) return gaveUp;
  return member === undefined && canJoin(machine) ? 'well' : 'starting';
}

/** Its member answers, but its agent has not been heard for so long that nobody waits for it any more. */
const isForsaken = (machine: Machine): boolean =>
  isSilent(machine) && !machine.maintenance && machine.silentMs >= DEGRADED_MS;
