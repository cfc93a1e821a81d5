import { HANDED_OVER } from './names.js';
import type { HandedOver, Why } from './watches.js';

/** One round of a singleton's watch, as the history has it once it ended. */
export interface Watched {
  readonly kind: 'watch';
  /** Identity of the worker that ended it. */
  readonly worker: string;
  /** 1 for the first: nobody else had it in this round. */
  readonly attempt: number;
  /** Of the last attempt; milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** That one worker took over from another in the middle of a round. */
export interface Told extends HandedOver {
  readonly kind: 'handed-over';
}

/** A watch that went from one worker to another. */
export interface HandOver {
  /** ISO 8601: when the other one had it. */
  readonly at: string;
  readonly from: string;
  readonly to: string;
  /** From the last that was heard of the one to the first of the other, by Temporal's clock. */
  readonly gapSeconds: number;
  readonly why: Why;
}

/**
 * The hand-overs of a singleton, the oldest first, from what its history holds in that order and the watch under way. In the
 * middle of a round they are told by who took over, which may be a moment late; between two rounds they show in who had them. Pure.
 */
export function handOvers(
  history: readonly (Watched | Told)[],
  now: Pick<Watched, 'worker' | 'attempt' | 'startedAt'> | null,
): readonly HandOver[] {
  const found: HandOver[] = [];
  let last: { readonly worker: string; readonly at: number } | null = null;
  const meet = ({ worker, attempt, startedAt }: Pick<Watched, 'worker' | 'attempt' | 'startedAt'>) => {
    if (last === null || last.worker === worker || attempt > 1) return;
    found.push(handOver(last.worker, worker, last.at, startedAt, 'a new round'));
  };
  for (const entry of inOrder(history)) {
    if (entry.kind === 'handed-over') {
      const { from, to, heardAt, tookAt, why } = entry;
      found.push(handOver(from, to, Date.parse(heardAt), Date.parse(tookAt), why));
      last = { worker: to, at: Date.parse(tookAt) };
    } else {
      meet(entry);
      last = { worker: entry.worker, at: entry.endedAt };
    }
  }
  if (now !== null) meet(now);
  return found;
}

/** A round that ended belongs after what was told in its middle, which the history has before the round's own start. */
function inOrder(history: readonly (Watched | Told)[]): readonly (Watched | Told)[] {
  const at = (entry: Watched | Told) => (entry.kind === 'watch' ? entry.startedAt : Date.parse(entry.tookAt));
  const rank = (entry: Watched | Told) => (entry.kind === 'handed-over' ? 0 : 1);
  return [...history].sort((a, b) => at(a) - at(b) || rank(a) - rank(b));
}

const handOver = (from: string, to: string, heardAt: number, tookAt: number, why: Why): HandOver => ({
  at: new Date(tookAt).toISOString(),
  from,
  to,
  gapSeconds: Math.max(0, Math.round(tookAt - heardAt)) / 1000,
  why,
});

/** An event of a history, as far as hand-overs show in it; numbers of events may be of any kind that prints. */
export interface HistoryEvent {
  readonly eventId?: unknown;
  readonly eventTime?: Time | null;
  readonly activityTaskScheduledEventAttributes?: {
    readonly activityType?: { readonly name?: string | null } | null;
  } | null;
  readonly activityTaskStartedEventAttributes?: {
    readonly scheduledEventId?: unknown;
    readonly identity?: string | null;
    readonly attempt?: number | null;
  } | null;
  readonly activityTaskCompletedEventAttributes?: Ended | null;
  readonly activityTaskFailedEventAttributes?: Ended | null;
  readonly activityTaskTimedOutEventAttributes?: Ended | null;
  readonly activityTaskCanceledEventAttributes?: Ended | null;
  readonly workflowExecutionSignaledEventAttributes?: {
    readonly signalName?: string | null;
    readonly input?: { readonly payloads?: readonly { readonly data?: Uint8Array | null }[] | null } | null;
  } | null;
}
interface Ended {
  readonly scheduledEventId?: unknown;
}
interface Time {
  readonly seconds?: unknown;
  readonly nanos?: number | null;
}

/** What a history says of a singleton's watch: the rounds that ended, what was told in between, and how many were begun. Pure. */
export function watchesIn(
  events: readonly HistoryEvent[],
  activity: string,
): { readonly entries: readonly (Watched | Told)[]; readonly rounds: number } {
  const begun = new Map<string, Pick<Watched, 'worker' | 'attempt' | 'startedAt'> | null>();
  const entries: (Watched | Told)[] = [];
  for (const event of events) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled && scheduled.activityType?.name === activity) begun.set(String(event.eventId), null);
    const started = event.activityTaskStartedEventAttributes;
    if (started && begun.has(String(started.scheduledEventId))) {
      begun.set(String(started.scheduledEventId), {
        worker: started.identity ?? '',
        attempt: started.attempt ?? 1,
        startedAt: timeOf(event.eventTime),
      });
    }
    const ended =
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes;
    const watch = ended ? begun.get(String(ended.scheduledEventId)) : null;
    if (watch) entries.push({ kind: 'watch', ...watch, endedAt: timeOf(event.eventTime) });
    const signal = event.workflowExecutionSignaledEventAttributes;
    if (signal?.signalName === HANDED_OVER) {
      const data = signal.input?.payloads?.[0]?.data;
      if (data) entries.push({ kind: 'handed-over', ...(JSON.parse(Buffer.from(data).toString()) as HandedOver) });
    }
  }
  return { entries, rounds: begun.size };
}

/** Milliseconds since 1970 of one of Temporal's times; 0 for none. */
export const timeOf = (time: Time | null | undefined): number =>
  Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;
