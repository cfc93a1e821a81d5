/**
 * Doing one planned change to the replica set, fenced by the config that it was planned on.
 *
 * Nothing rests on being the only one who acts: everything is read again first, the next version is exactly one higher, so
 * that MongoDB refuses whoever comes late, and a change whose outcome is unknown is looked for, never sent again blindly.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError, reasonOf } from '../errors.js';
import { within } from './connect.js';
import { meaningOf, refusal } from './errors.js';
import { changed, checkFence, type Fence, type HandOver, type Reconfig, tooEarly } from './fences.js';
import { handOver } from './handover.js';
import { isOfTwo, noteAlone, noteInForce, noteSole, votesIn } from './note.js';
import type { Look, Observer } from './observe.js';
import { type Joiner, sendable, voteChanges } from './reconfig.js';
import type { SetConfig } from './wire.js';

export type { HandOver, Reconfig } from './fences.js';

export interface Execution {
  readonly observer: Observer;
  /** Hosts of mongods that are known; members of the config are found from them. */
  readonly hosts: readonly string[];
  readonly deed: Reconfig | HandOver;
  /** The config that the deed was planned on. */
  readonly fence: Fence;
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
  const began = performance.now();
  const end = began + Math.min(execution.patienceMs ?? DECISION_MS, DECISION_MS);
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
    if (next === look.config) {
      await noteTwo(observer, look.primaryHost, look.config);
      return { already: attempt === 0 };
    }
    checkFence(look, fence);
    const config = sendable(next, fence.version + 1);
    const early = tooEarly(look, deed) ?? (await noteBefore(observer, look, config));
    // Whoever was frozen since it began may come when others have done all that was wanted, on the very same config.
    if (performance.now() - began > DECISION_MS)
      throw new QuorateError('not-yet', `${wordsOf(deed)} was decided on too long ago.`);
    const answer = early ?? (await send(observer, look, deed, config));
    if (answer === null) {
      await noteTwo(observer, look.primaryHost, config);
      return { already: false };
    }
    obstacle = answer;
    await sleep(50);
  }
  throw new QuorateError('not-yet', `${wordsOf(deed)}: ${obstacle}.`, { todo: 'It is tried again from fresh facts.' });
}

/** A config of two is noted once it is in force; without the note a loss among the two needs a person, and nothing worse. */
async function noteTwo(observer: Observer, primaryHost: string | null, config: SetConfig): Promise<void> {
  if (primaryHost === null || !isOfTwo(config)) return;
  await noteInForce(observer, primaryHost, config.version).catch(() => undefined);
}

/**
 * What must be in the oplog before the config is sent. Before one of two loses its vote both must know it: what the other
 * acknowledges alone is nowhere else. Before there are two, the one must know that it was alone until then.
 */
async function noteBefore(
  observer: Observer,
  { config, primaryHost, set }: Look,
  next: SetConfig,
): Promise<string | null> {
  if (primaryHost === null || set.primary === null) return null;
  try {
    if (isOfTwo(config) && votesIn(next) === 1) {
      await noteAlone(observer, primaryHost, config.version, set.primary);
    } else if (votesIn(config) === 1 && isOfTwo(next)) {
      await noteSole(observer, primaryHost, next.version, set.primary);
    }
    return null;
  } catch (error) {
    return `${primaryHost} could not note who acknowledges alone (${reasonOf(error)})`;
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
