/**
 * What an executor asks again, on fresh facts, before it sends anything: is it the config that was decided on, is the deed done
 * already, may it be done now. Pure, so that the model of test/model asks the very same.
 */
import { QuorateError } from '../errors.js';
import { isCaughtUp } from '../membership/facts.js';
import type { Deed } from '../membership/types.js';
import type { Look } from './observe.js';
import { equalPriority, grantVote, type Joiner, join, removeMembers, setTimings, withdrawVote } from './reconfig.js';
import type { SetConfig } from './wire.js';

export type Reconfig = Extract<
  Deed,
  { kind: 'join' | 'grant-vote' | 'withdraw-vote' | 'equal-priority' | 'set-timings' | 'remove-members' }
>;
export type HandOver = Extract<Deed, { kind: 'hand-over' }>;

/** The config that a deed was decided on. */
export interface Fence {
  readonly version: number;
  readonly term: number;
}

/** The config after the deed; the same object when it is done already. */
export function changed(config: SetConfig, deed: Reconfig, joiners: readonly Joiner[]): SetConfig {
  switch (deed.kind) {
    case 'join': {
      const chosen = joiners.filter((j) => deed.machines.includes(j.machine));
      if (chosen.length !== deed.machines.length) {
        throw new QuorateError(
          'unknown-host',
          `Not every machine of ${deed.machines.join(', ')} has a mongod address.`,
        );
      }
      return join(config, chosen);
    }
    case 'grant-vote':
      return grantVote(config, deed.member);
    case 'withdraw-vote':
      return withdrawVote(config, deed.member);
    case 'equal-priority':
      return equalPriority(config, deed.members);
    case 'set-timings':
      return setTimings(config, deed.timings);
    case 'remove-members':
      return removeMembers(config, deed.members);
  }
}

/** Throws `stale` when the config is another one. */
export function checkFence({ set }: Look, fence: Fence): void {
  if (set.version === fence.version && set.term === fence.term) return;
  throw new QuorateError(
    'stale',
    `The replica set's configuration is (${set.version}, ${set.term}) and no longer (${fence.version}, ${fence.term}), on which this step was planned.`,
    { todo: 'The next step is planned on the new one.' },
  );
}

/** Why the change may not be sent yet by the invariants, in words; null when it may. */
export function tooEarly({ set, config, primaryHost }: Look, deed: Reconfig): string | null {
  if (primaryHost === null || set.primary === null) return 'there is no primary that answers';
  if (set.unsettled !== null) return set.unsettled;
  if (!set.committed) return 'the current configuration is not on a majority yet';
  switch (deed.kind) {
    case 'join':
    case 'equal-priority':
    case 'set-timings':
      return null;
    case 'grant-vote': {
      const member = set.members.find((m) => m.id === deed.member);
      if (member === undefined) throw new QuorateError('stale', `Member ${deed.member} is not in the set.`);
      return isCaughtUp(set, member) ? null : `${member.host} has not caught up with the primary`;
    }
    case 'withdraw-vote': {
      if (set.primary === deed.member) throw new QuorateError('stale', `Member ${deed.member} is primary now.`);
      const behind = set.members.find((m) => m.votes === 1 && m.id !== deed.member && !isCaughtUp(set, m));
      return behind === undefined ? null : `${behind.host}, which keeps its vote, has not caught up with the primary`;
    }
    case 'remove-members': {
      const voter = config.members.find((m) => deed.members.includes(m._id) && m.votes > 0);
      if (voter !== undefined) throw new QuorateError('stale', `${voter.host} has a vote, so it may not be removed.`);
      return null;
    }
  }
}
