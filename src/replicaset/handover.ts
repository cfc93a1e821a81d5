/**
 * A planned hand-over of the primary: the other members are made to follow the heir first, then it stands up, so that writes
 * pause for some hundredths of a second instead of a whole one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../errors.js';
import { isCaughtUp, isCutOff } from '../membership/facts.js';
import type { Member, MemberId, ReplicaSet } from '../membership/types.js';
import { within } from './connect.js';
import { meaningOf, refusal } from './errors.js';
import type { Observer } from './observe.js';
import type { SetStatus } from './wire.js';

export interface HandOverOptions {
  readonly observer: Observer;
  readonly hosts: readonly string[];
  readonly heir: MemberId;
  /** Longest time for making the others follow; without it the hand-over costs about a second of writes. */
  readonly preparationMs?: number;
  readonly signal?: AbortSignal;
}

export interface HandOverResult {
  /** Whether every other healthy member followed the heir when it stood up. */
  readonly followed: boolean;
  /** Refused attempts to stand up. */
  readonly refusals: number;
}

const PREPARATION_MS = 3000;
const STAND_UP_MS = 3000;
const COMMAND_MS = 1000;
/** Following sticks only when the one to follow is ahead, which needs writes: on an idle set these are the only ones. */
const NOTE_EVERY_MS = 20;
const NOTE = { msg: 'quorate hand-over' };

/** The first in `order` that could take over at once: a healthy voter that has caught up. null when there is none. */
export function pickHeir(
  set: ReplicaSet,
  order: readonly MemberId[],
  avoid: readonly MemberId[] = [],
): MemberId | null {
  const ready = (id: MemberId) =>
    !avoid.includes(id) && set.members.some((m) => m.id === id && readiness(set, m) === null);
  return order.find(ready) ?? null;
}

/** Makes `heir` the primary; nothing to do when it is already. Throws `not-yet` when it is not ready or every attempt was refused. */
export async function handOver(options: HandOverOptions): Promise<HandOverResult> {
  const { observer, hosts, heir, signal } = options;
  const set = await observer.observe(hosts);
  if (set?.primary === heir) return { followed: true, refusals: 0 };
  const member = set?.members.find((m) => m.id === heir);
  const primary = set?.members.find((m) => m.id === set.primary);
  if (set == null || member === undefined || primary === undefined) {
    throw new QuorateError(
      'not-yet',
      `The primary cannot be handed to member ${heir}: it or the primary is not there.`,
    );
  }
  const obstacle = readiness(set, member);
  if (obstacle !== null)
    throw new QuorateError('not-yet', `The primary cannot be handed to ${member.host}: ${obstacle}.`);

  const others = set.members.filter((m) => m !== member && m !== primary && m.healthy && m.state === 'SECONDARY');
  const notes = keepNoting(observer, primary.host);
  try {
    const deadline = performance.now() + (options.preparationMs ?? PREPARATION_MS);
    const go = () => performance.now() < deadline && !signal?.aborted;
    // The heir must follow the primary itself: a circle would be undone by MongoDB.
    const followed = await lineUp(
      observer,
      [{ host: member.host, source: primary.host }, ...others.map(({ host }) => ({ host, source: member.host }))],
      go,
    );
    signal?.throwIfAborted();
    const refusals = await standUp(observer, member.host, signal);
    return { followed, refusals };
  } finally {
    await notes.stop();
  }
}

/** Why this member could not take over now, in words; null when it could. */
function readiness(set: ReplicaSet, member: Member): string | null {
  if (member.votes === 0 || member.priority === 0) return 'it has no vote';
  if (!member.healthy || member.state !== 'SECONDARY')
    return `it is ${member.healthy ? member.state : 'not reachable'}`;
  if (isCutOff(member)) return 'it is cut off from the primary';
  if (!isCaughtUp(set, member)) return 'it has not caught up';
  return null;
}

async function sourceOf(observer: Observer, host: string): Promise<string> {
  const status = await within(COMMAND_MS, host, observer.command(host, { replSetGetStatus: 1 }));
  return (status as unknown as SetStatus).syncSourceHost;
}

/** Makes each host follow its source, one at a time, until all of them do: MongoDB does not always keep to it. */
async function lineUp(
  observer: Observer,
  line: readonly { readonly host: string; readonly source: string }[],
  go: () => boolean,
): Promise<boolean> {
  // One that does not answer follows nobody, and is not waited for: the hand-over is only slower without it.
  const follows = ({ host, source }: (typeof line)[number]) =>
    sourceOf(observer, host).then(
      (seen) => seen === source,
      () => true,
    );
  while (go()) {
    const held = await Promise.all(line.map(follows));
    const stray = line.find((_, i) => !held[i]);
    if (stray === undefined) return true;
    await within(COMMAND_MS, stray.host, observer.command(stray.host, { replSetSyncFrom: stray.source })).catch(
      () => {},
    );
    for (let look = 0; look < 8 && go() && !(await follows(stray)); look++) await sleep(40);
  }
  return false;
}

/** Asks the heir to stand up until it is primary; a refusal is tried again at once, as it may have deposed the old one already. */
async function standUp(observer: Observer, host: string, signal?: AbortSignal): Promise<number> {
  const deadline = performance.now() + STAND_UP_MS;
  for (let refusals = 0; ; refusals++) {
    signal?.throwIfAborted();
    try {
      await within(STAND_UP_MS, host, observer.command(host, { replSetStepUp: 1 }));
      return refusals;
    } catch (error) {
      const late = performance.now() > deadline;
      if (late || meaningOf(error).verdict !== 'retry') throw refusal(`making ${host} primary`, error);
      await sleep(10);
    }
  }
}

/** Small entries in the primary's oplog, so that there is something to follow; they end with the primary's time. */
function keepNoting(observer: Observer, primary: string): { stop(): Promise<void> } {
  let on = true;
  const note = () => within(COMMAND_MS, primary, observer.command(primary, { appendOplogNote: 1, data: NOTE }));
  const loop = async (): Promise<void> => {
    while (on) {
      await note();
      await sleep(NOTE_EVERY_MS);
    }
  };
  // The old primary refuses them once the heir has stood up; were they refused before, the hand-over is only slower.
  const running = loop().catch(() => undefined);
  return {
    stop: async () => {
      on = false;
      await running;
    },
  };
}
