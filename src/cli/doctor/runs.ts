import type { Change } from '../../api/changes.js';
import type { Temporal } from '../../temporal/connect.js';
import { timeOf } from '../../temporal/hand-overs.js';
import { SINGLETONS, workflowIds } from '../../temporal/names.js';
import { workersOf } from '../../temporal/pollers.js';
import { type Judged, well, wrong } from './finding.js';
import type { Subject } from './subject.js';

/** An activity that is not done yet. */
export interface Attempt {
  readonly activity: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** Why the attempt before this one failed; empty when it is the first. */
  readonly reason: string;
  /** Seconds since a worker began with this attempt; null while none has. */
  readonly runningS: number | null;
}

/** The latest run under a workflow ID. */
export interface RunSeen {
  readonly workflowId: string;
  /** Temporal's word, or NOT_FOUND. */
  readonly status: string;
  readonly firstRunId: string;
  /** Activities that are tried again, with how often so far and why. */
  readonly trying: readonly Attempt[];
  /** Attempts of the workflow task under way; more than a few: its code fails. */
  readonly taskAttempts: number;
}

export interface RunsSeen {
  readonly environment: string;
  readonly key: string;
  /** Of the environment; while it is dying its singletons are ended. */
  readonly alive: boolean;
  readonly runs: readonly RunSeen[];
  /** Seconds since each worker that is known there polled for workflows last. */
  readonly polledSecondsAgo: readonly number[];
}

/** A worker asks once a minute at least. */
const POLLS_WITHIN_S = 70;
/** Passing trouble is over by then. */
const MANY_ATTEMPTS = 5;
/** An attempt that has lasted so long is one that works: waits last for minutes, and keep the count of those before. */
const LASTS_S = 10;

/** Workflows that run and get nowhere, and singletons that do not run. Pure. */
export function judgeRuns(seen: RunsSeen): readonly Judged[] {
  const running = seen.runs.filter(({ status }) => status === 'RUNNING');
  const judged = [...unserved(seen, running), ...running.flatMap(stuck), ...missing(seen)];
  if (judged.length > 0) return judged;
  return [well(`${running.length} workflows run, and workers poll for them`)];
}

function unserved({ environment, polledSecondsAgo }: RunsSeen, running: readonly RunSeen[]): Judged[] {
  if (running.length === 0 || polledSecondsAgo.some((ago) => ago <= POLLS_WITHIN_S)) return [];
  return [
    wrong(
      `${running.length} workflows run, and no worker has polled for them in ${POLLS_WITHIN_S} s: changes and healing rest`,
      `Start one with: quorate engine start      and see why no controller's runs: quorate show-controller -e ${environment}`,
    ),
  ];
}

function stuck({ workflowId, trying, taskAttempts }: RunSeen): Judged[] {
  const failing = trying.filter(
    ({ attempt, runningS }) => attempt >= MANY_ATTEMPTS && (runningS === null || runningS < LASTS_S),
  );
  const judged = failing.map(({ activity, attempt, reason }) =>
    wrong(
      `${workflowId} has tried ${activity} ${attempt} times in a row: ${reason || 'no reason is known'}`,
      'Put right what the reason says; it goes on by itself then.',
    ),
  );
  if (taskAttempts >= MANY_ATTEMPTS) {
    judged.push(
      wrong(
        `${workflowId} cannot go on: its workflow task failed ${taskAttempts} times`,
        'See why in the Temporal UI (quorate ui). Restarted workers move it to their version: quorate engine stop, quorate engine start.',
      ),
    );
  }
  return judged;
}

function missing({ environment, key, alive, runs }: RunsSeen): Judged[] {
  if (!alive) return [];
  return SINGLETONS.flatMap((name) => {
    const run = runs.find(({ workflowId }) => workflowId === workflowIds.singleton(key, name));
    if (run?.status === 'RUNNING') return [];
    const how = run === undefined || run.status === 'NOT_FOUND' ? 'is not there' : `is ${run.status.toLowerCase()}`;
    const todo = `Start it with: quorate doctor --fix -e ${environment}`;
    return [wrong(`the singleton ${name} ${how}`, todo, { kind: 'start-singletons' })];
  });
}

/** Documents that say of a change that it runs, though its workflow does not. Pure. */
export function judgeChanges(
  environment: string,
  changes: readonly Pick<Change, 'id' | 'runId' | 'workflowId' | 'kind'>[],
  runs: readonly RunSeen[],
): readonly Judged[] {
  return changes
    .filter((change) => isVanished(change, runs))
    .map(({ id, runId, kind }) =>
      wrong(
        `${id} (${kind}) is written down as running, and its workflow is not there any more`,
        `Close it with: quorate doctor --fix -e ${environment}      What it was about goes on when the command is typed again.`,
        { kind: 'close-change', runId },
      ),
    );
}

/** Whether the run that a document names has ended or was never in this Temporal. Pure. */
export function isVanished(change: Pick<Change, 'runId' | 'workflowId'>, runs: readonly RunSeen[]): boolean {
  const run = runs.find(({ workflowId }) => workflowId === change.workflowId);
  return run?.status !== 'RUNNING' || run.firstRunId !== change.runId;
}

/** Asks Temporal about all that may run for an environment. */
export async function askRuns(subject: Subject): Promise<RunsSeen> {
  const { key } = subject;
  const temporal = await subject.temporal();
  const ids = [
    workflowIds.bootstrap(key),
    workflowIds.membership(key),
    ...SINGLETONS.map((name) => workflowIds.singleton(key, name)),
  ];
  const [status, runs, { pollers }] = await Promise.all([
    subject.status(),
    Promise.all(ids.map((id) => seeRun(temporal, id))),
    workersOf(temporal.client, key),
  ]);
  const { name, life } = status.environment;
  return {
    environment: name,
    key,
    alive: life === 'alive',
    runs,
    polledSecondsAgo: pollers.map(({ secondsAgo }) => secondsAgo),
  };
}

/** The changes that run by their documents, and what Temporal says of each. A change that just ended is asked for again. */
export async function askChanges(subject: Subject) {
  const temporal = await subject.temporal();
  const before = await subject.runningChanges();
  const ids = [...new Set(before.map(({ workflowId }) => workflowId))];
  const runs = await Promise.all(ids.map((id) => seeRun(temporal, id)));
  const suspicious = before.some((change) => isVanished(change, runs));
  // Its end is written before its workflow ends: who is still running after that has vanished.
  const after = suspicious ? await subject.runningChanges() : before;
  const changes = after.filter(({ runId }) => before.some((change) => change.runId === runId));
  return { environment: subject.record.name, changes, runs };
}

async function seeRun({ client }: Temporal, workflowId: string): Promise<RunSeen> {
  try {
    const { status, raw } = await client.workflow.getHandle(workflowId).describe();
    const trying = (raw.pendingActivities ?? []).map(
      ({ activityType, attempt, lastFailure, state, lastStartedTime }) => ({
        activity: activityType?.name ?? '',
        attempt: attempt ?? 1,
        reason: lastFailure?.cause?.message ?? lastFailure?.message ?? '',
        runningS: state === STARTED && lastStartedTime ? (Date.now() - timeOf(lastStartedTime)) / 1000 : null,
      }),
    );
    const firstRunId = raw.workflowExecutionInfo?.firstRunId ?? '';
    return { workflowId, status: status.name, firstRunId, trying, taskAttempts: raw.pendingWorkflowTask?.attempt ?? 0 };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'WorkflowNotFoundError') throw error;
    return { workflowId, status: 'NOT_FOUND', firstRunId: '', trying: [], taskAttempts: 0 };
  }
}

/** temporal.api.enums.v1.PendingActivityState; as a number, since loading the protocol takes every command 0.1 s. */
const STARTED = 2;
