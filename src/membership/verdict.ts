import { answers, canJoin, isSilent, isVoter, memberOf } from './facts.js';
import type { Expired, Machine, Observed } from './types.js';
import { hasExpired } from './waits.js';

/**
 * What the evidence says of a machine that is, or is to be, a controller.
 * - `well`: its member answers, or its mongod is ready to join.
 * - `starting`: it boots, starts its mongod or copies the data for the first time.
 * - `away`: it should answer and does not; waited for.
 * - `failing`: its agent is there, its mongod does not come up: it leaves in order.
 * - `lost`: nothing of it answers, or the cloud says that it is gone: it is written off.
 */
export type Verdict = 'well' | 'starting' | 'away' | 'failing' | 'lost';

export function verdict(observed: Observed, machine: Machine, expired: readonly Expired[]): Verdict {
  const member = memberOf(observed, machine.id);
  const waitedFor = (what: Expired['for']) => hasExpired(expired, what, machine.id);
  if (member === undefined && machine.agent === 'pending') return waitedFor('boot') ? 'lost' : 'starting';
  if (machine.instance === 'terminated') return 'lost';
  if (member !== undefined && answers(member)) return 'well';
  // Somebody said that it may be away: nothing but its cloud's word for its end is held against it.
  const waited = waitedFor('healthy') && !machine.maintenance;
  if (isSilent(machine)) return waited ? 'lost' : 'away';
  if (member !== undefined && isVoter(member)) return waited ? 'failing' : 'away';
  if (waitedFor('boot') && !canJoin(machine)) return 'failing';
  if (waitedFor('healthy') || waitedFor('services') || waitedFor('caught-up')) return 'failing';
  return member === undefined && canJoin(machine) ? 'well' : 'starting';
}
