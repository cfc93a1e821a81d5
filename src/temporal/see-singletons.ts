import type { Temporal } from './connect.js';
import {
  type HandOver,
  type HistoryEvent,
  handOvers,
  type Told,
  timeOf,
  type Watched,
  watchesIn,
} from './hand-overs.js';
import { SINGLETONS, type Singleton, workflowIds, workflowUrl } from './names.js';
import { PURPOSE } from './singletons.js';
import { WATCHES } from './watches.js';

/** An activity that is not done yet. */
export interface Doing {
  readonly activity: string;
  /** Identity of the worker that has it, or had it last; empty before the first. */
  readonly worker: string;
  /** ISO 8601: since when that worker has it; null while it waits for one. */
  readonly since: string | null;
  /** ISO 8601; null for none. */
  readonly lastHeartbeat: string | null;
  /** 1 for the first. */
  readonly attempt: number;
}

/** A singleton as Temporal knows it: its latest run, with the hand-overs of that and of those before. */
export interface SingletonSeen {
  readonly singleton: Singleton;
  /** What it does, in a few words. */
  readonly purpose: string;
  readonly workflowId: string;
  /** `running`, `terminated`, `not there` and so on. */
  readonly state: string;
  readonly url: string;
  /** ISO 8601; null where it is not there. */
  readonly runStartedAt: string | null;
  /** How often this run began to wait for work. */
  readonly rounds: number;
  /** Who waits for work, since when without a change of worker; null while nobody does. */
  readonly watch: (Doing & { readonly since: string }) | null;
  /** What is done besides. */
  readonly doing: readonly Doing[];
  /** The oldest first. */
  readonly handOvers: readonly HandOver[];
}

/** Asks Temporal about every singleton of an environment. */
export async function seeSingletons(temporal: Temporal, key: string): Promise<SingletonSeen[]> {
  return await Promise.all(SINGLETONS.map((name) => seeSingleton(temporal, key, name)));
}

async function seeSingleton(
  { client, namespace, uiUrl }: Temporal,
  key: string,
  singleton: Singleton,
): Promise<SingletonSeen> {
  const workflowId = workflowIds.singleton(key, singleton);
  const what = { singleton, purpose: PURPOSE[singleton], workflowId, url: workflowUrl(uiUrl, namespace, workflowId) };
  try {
    const { raw, status, startTime, runId } = await client.workflow.getHandle(workflowId).describe();
    const history = await historyOf(client, workflowId, runId, WATCHES[singleton]);
    const pending = (raw.pendingActivities ?? []).map(doing);
    const present = pending.find(({ activity }) => activity === WATCHES[singleton]);
    const startedAt = present?.since ?? null;
    const now = present && startedAt !== null ? { ...present, startedAt: Date.parse(startedAt) } : null;
    const found = handOvers(history.entries, now);
    return {
      ...what,
      state: status.name.toLowerCase(),
      runStartedAt: startTime.toISOString(),
      rounds: history.rounds,
      watch:
        present && startedAt !== null
          ? { ...present, since: sinceOf(found, history, present.worker, startedAt) }
          : null,
      doing: pending.filter((activity) => activity !== present),
      handOvers: found,
    };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'WorkflowNotFoundError') throw error;
    const nothing = { runStartedAt: null, rounds: 0, watch: null, doing: [], handOvers: [] };
    return { ...what, state: 'not there', ...nothing };
  }
}

interface Histories {
  readonly entries: readonly (Watched | Told)[];
  /** Of the latest run. */
  readonly rounds: number;
}

/** Runs, the latest among them: each has some hundreds of events at most. */
const RUNS = 8;

/** Of the run and of those that it goes on from, as far back as is looked. */
async function historyOf(
  client: Temporal['client'],
  workflowId: string,
  runId: string,
  activity: string,
): Promise<Histories> {
  const events = await eventsOf(client, workflowId, runId);
  const { entries, rounds } = watchesIn(events, activity);
  const all = [entries];
  for (let before = wentOnFrom(events); before !== '' && all.length < RUNS; ) {
    const earlier = await eventsOf(client, workflowId, before).catch(forgotten);
    all.unshift(watchesIn(earlier, activity).entries);
    before = wentOnFrom(earlier);
  }
  return { entries: all.flat(), rounds };
}

const wentOnFrom = ([first]: readonly Event[]): string =>
  first?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? '';

type Event = HistoryEvent & {
  readonly workflowExecutionStartedEventAttributes?: { readonly continuedExecutionRunId?: string | null } | null;
};

async function eventsOf(client: Temporal['client'], workflowId: string, runId: string): Promise<readonly Event[]> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  return (events ?? []) as readonly Event[];
}

/** Temporal keeps ended runs for a while only. */
function forgotten(error: unknown): readonly Event[] {
  if (error instanceof Error && error.name === 'WorkflowNotFoundError') return [];
  throw error;
}

/** When the present worker took over, or began the first watch that is known. */
function sinceOf(found: readonly HandOver[], { entries }: Histories, worker: string, startedAt: string): string {
  const taken = found.at(-1);
  if (taken?.to === worker) return taken.at;
  const [first] = entries;
  const always = taken === undefined && first?.kind === 'watch' && first.worker === worker;
  return always ? new Date(first.startedAt).toISOString() : startedAt;
}

/** temporal.api.enums.v1.PendingActivityState; as a number, since loading the protocol takes every command 0.1 s. */
const STARTED = 2;

interface Pending {
  readonly activityType?: { readonly name?: string | null } | null;
  readonly lastWorkerIdentity?: string | null;
  readonly state?: unknown;
  readonly lastStartedTime?: Parameters<typeof timeOf>[0];
  readonly lastHeartbeatTime?: Parameters<typeof timeOf>[0];
  readonly attempt?: number | null;
}

function doing({
  activityType,
  lastWorkerIdentity,
  state,
  lastStartedTime,
  lastHeartbeatTime,
  attempt,
}: Pending): Doing {
  const iso = (time: Parameters<typeof timeOf>[0]) => (time ? new Date(timeOf(time)).toISOString() : null);
  return {
    activity: activityType?.name ?? '',
    worker: lastWorkerIdentity ?? '',
    since: state === STARTED ? iso(lastStartedTime) : null,
    lastHeartbeat: iso(lastHeartbeatTime),
    attempt: attempt ?? 1,
  };
}
