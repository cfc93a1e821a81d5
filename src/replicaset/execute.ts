/**
 * Doing one planned change to the replica set, fenced by the config that it was planned on.
 *
 * Nothing rests on being the only one who acts: everything is read again first, the next version is exactly one higher, so
 * that MongoDB refuses whoever comes late, and a change whose outcome is unknown is looked for, never sent again blindly.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError, reasonOf } from '../errors.js';
import { isCaughtUp } from '../membership/facts.js';
import type { Deed } from '../membership/types.js';
import { within } from './connect.js';
import { meaningOf, refusal } from './errors.js';
import { handOver } from './handover.js';
import type { Look, Observer } from './observe.js';
import {
  equalPriority,
  grantVote,
  type Joiner,
  join,
  removeMembers,
  sendable,
  setTimings,
  voteChanges,
  withdrawVote,
} from './reconfig.js';
import type { SetConfig } from './wire.js';

export type Reconfig = Extract<
  Deed,
  { kind: 'join' | 'grant-vote' | 'withdraw-vote' | 'equal-priority' | 'set-timings' | 'remove-members' }
>;
export type HandOver = Extract<Deed, { kind: 'hand-over' }>;

export interface Execution {
  readonly observer: Observer;
  /** Hosts of mongods that are known; members of the config are found from them. */
  readonly hosts: readonly string[];
  readonly deed: Reconfig | HandOver;
  /** The config that the deed was planned on. */
  readonly fence: { readonly version: number; readonly term: number };
  /** For a join: member ID and host of each machine. */
  readonly joiners?: readonly Joiner[];
  /** How long to wait when it comes too early; 10 s unless told, and never longer. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

/** A decision is void after this time: nothing is sent on it any more. */
const DECISION_MS = 10_000;
/** How long MongoDB gets to install a config, beside the time that it waits for a member that does not answer. */
const INSTALL_MS = 4000;
const HEARTBEAT_TIMEOUT_SECONDS = 10;

/**
 * Does the deed, or finds it done. Throws `stale` when the facts are not those that were decided on, `not-yet` when it came too
 * early for as long as the decision held, `replica-set-refused` when it can never be.
 */
export async function execute(execution: Execution): Promise<{ already: boolean }> {
  const { deed, observer, hosts, fence, signal } = execution;
  const end = performance.now() + Math.min(execution.patienceMs ?? DECISION_MS, DECISION_MS);
  let obstacle = '';
  for (let attempt = 0; attempt === 0 || performance.now() < end; attempt++) {
    signal?.throwIfAborted();
    const look = await observer.look(hosts);
    if (look === null)
      throw new QuorateError('not-yet', `None of ${hosts.join(', ')} answered as a member of the set.`);

    if (deed.kind === 'hand-over') {
      if (look.set.primary === deed.member) return { already: true };
      checkFence(look, fence);
      await handOver({ observer, hosts, heir: deed.member, ...(signal && { signal }) });
      return { already: false };
    }
    const next = changed(look.config, deed, execution.joiners ?? []);
    if (next === look.config) return { already: attempt === 0 };
    checkFence(look, fence);
    const answer = tooEarly(look, deed) ?? (await send(observer, look, deed, sendable(next, fence.version + 1)));
    if (answer === null) return { already: false };
    obstacle = answer;
    await sleep(50);
  }
  throw new QuorateError('not-yet', `${wordsOf(deed)}: ${obstacle}.`, { todo: 'It is tried again from fresh facts.' });
}

/** The config after the deed; the same object when it is done already. */
function changed(config: SetConfig, deed: Reconfig, joiners: readonly Joiner[]): SetConfig {
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

function checkFence({ set }: Look, fence: Execution['fence']): void {
  if (set.version === fence.version && set.term === fence.term) return;
  throw new QuorateError(
    'stale',
    `The replica set's configuration is (${set.version}, ${set.term}) and no longer (${fence.version}, ${fence.term}), on which this step was planned.`,
    { todo: 'The next step is planned on the new one.' },
  );
}

/** Why the change may not be sent yet by the invariants, in words; null when it may. */
function tooEarly({ set, config, primaryHost }: Look, deed: Reconfig): string | null {
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

/**
 * null when the config is on a majority; words when it must be looked again, because it came too early or because nobody knows
 * what became of it. Throws what another look cannot change.
 */
async function send(observer: Observer, look: Look, deed: Reconfig, config: SetConfig): Promise<string | null> {
  const changes = voteChanges(look.config, config);
  if (changes.length > 1 || look.primaryHost === null) {
    throw new Error(`a reconfig may change one vote, this one changes those of ${changes.join(', ')}`);
  }
  try {
    // A time limit that ended within MongoDB's wait for a frozen member would undo every attempt.
    const patience = Math.max(...[look.config, config].map(heartbeatTimeoutMs));
    const maxTimeMS = patience + INSTALL_MS;
    const sent = observer.command(look.primaryHost, { replSetReconfig: config, maxTimeMS });
    await within(maxTimeMS + 500, look.primaryHost, sent);
    return null;
  } catch (error) {
    const { verdict, outcome, sentence } = meaningOf(error);
    if (verdict === 'fatal' || (verdict === 'replan' && outcome === 'nothing')) throw refusal(wordsOf(deed), error);
    return `${sentence} (${reasonOf(error)})`;
  }
}

const heartbeatTimeoutMs = ({ settings }: SetConfig): number =>
  (settings?.heartbeatTimeoutSecs ?? HEARTBEAT_TIMEOUT_SECONDS) * 1000;

function wordsOf(deed: Reconfig | HandOver): string {
  switch (deed.kind) {
    case 'hand-over':
      return `handing the primary to machine ${deed.machine}`;
    case 'join':
      return `joining ${deed.machines.map((m) => `machine ${m}`).join(', ')}`;
    case 'grant-vote':
      return `granting a vote to machine ${deed.machine}`;
    case 'withdraw-vote':
      return `withdrawing the vote of member ${deed.member}`;
    case 'equal-priority':
      return `making the priorities of member ${deed.members.join(', ')} equal again`;
    case 'set-timings':
      return 'setting the timings of the set';
    case 'remove-members':
      return `removing member ${deed.members.join(', ')}`;
  }
}
