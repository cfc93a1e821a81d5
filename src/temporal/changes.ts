import { setTimeout as sleep } from 'node:timers/promises';
import {
  ApplicationFailure,
  CancelledFailure,
  ServiceError,
  TerminatedFailure,
  WorkflowContinuedAsNewError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { BootstrapInput } from '../../workflows/bootstrap.js';
import type { DestroyInput } from '../../workflows/destroy.js';
import type { MembershipInput } from '../../workflows/membership.js';
import type { RecoverInput } from '../../workflows/recover.js';
import type { RotateCaInput } from '../../workflows/rotate-ca.js';
import { QuorateError, reasonOf } from '../errors.js';
import type { Temporal } from './connect.js';
import {
  type ChangeType,
  changeId,
  changeKind,
  changeName,
  changeSummary,
  PROGRESS_QUERY,
  taskQueues,
  WORKFLOW_TASK_TIMEOUT,
  workflowUrl,
} from './names.js';
import type { Progress } from './progress.js';

/** What each type of change is started with. */
export interface ChangeInputs {
  readonly bootstrap: BootstrapInput;
  readonly enableHa: MembershipInput;
  readonly disableHa: MembershipInput;
  readonly replace: MembershipInput;
  readonly switchover: MembershipInput;
  readonly configure: MembershipInput;
  readonly recover: RecoverInput;
  readonly rotateCa: RotateCaInput;
  readonly destroy: DestroyInput;
}

export type ChangeTemporal = Pick<Temporal, 'client' | 'namespace' | 'uiUrl'>;

/** A change that was started or found. */
export interface StartedChange {
  /** NAME-UUID8-NUMBER; its workflow ID as long as the environment has given it no number. */
  readonly id: string;
  readonly kind: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly url: string;
  readonly handle: WorkflowHandle;
}

/** A change that ends just now still holds the ID for a moment after it said so. */
const ENDING_MS = 2000;
/** The number comes with the change's first act. */
const NUMBER_MS = 1000;
/** Each look is a query, which a worker answers. */
const LOOK_MS = 250;

/**
 * Starts a change. The ID is the lock: while another one runs, `change-running` names it, its step and its URL, and nothing
 * is queued.
 */
export async function startChange<T extends ChangeType>(
  temporal: ChangeTemporal,
  type: T,
  input: ChangeInputs[T],
): Promise<StartedChange> {
  const { key, environment } = input;
  const workflowId = changeId(key, type);
  const ends = performance.now() + ENDING_MS;
  for (;;) {
    try {
      const handle = await temporal.client.workflow.start(type, {
        workflowId,
        taskQueue: taskQueues.workflows(key),
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        args: [input],
        staticSummary: summaryOf(type, input),
        staticDetails: `Follow it with: quorate watch -e ${environment.name}`,
      });
      const number = type === 'bootstrap' || type === 'destroy' ? null : await numberOf(handle);
      return described(temporal, key, handle, handle.firstExecutionRunId, type, number);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const running = await runningChange(temporal, key, workflowId);
      if (running === null && performance.now() < ends) {
        await sleep(50);
        continue;
      }
      throw changeRunning(environment.name, workflowId, running);
    }
  }
}

/** What runs under an ID, and how far it is. */
export interface RunningChange {
  readonly change: StartedChange;
  readonly kind: string;
  readonly step: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** null when no worker could be asked. */
  readonly progress: Progress | null;
}

/** null when none runs, or it has just come to its end. */
export async function runningChange(
  temporal: ChangeTemporal,
  key: string,
  workflowId: string,
): Promise<RunningChange | null> {
  const latest = await latestRun(temporal, key, workflowId);
  if (latest === null || latest.status !== 'RUNNING') return null;
  const { change, progress, startedAt } = latest;
  if (progress !== null && progress.state !== 'running') return null;
  const step = progress?.steps.findLast(({ state }) => state === 'running' || state === 'waiting')?.text ?? '';
  return { change, kind: progress?.kind ?? change.kind, step, startedAt, progress };
}

/**
 * A change by its name, or without one whatever runs now. Temporal is asked for the latest run under each ID only; older
 * changes are in the environment's own documents.
 */
export async function findChange(temporal: ChangeTemporal, key: string, name?: string): Promise<StartedChange | null> {
  for (const type of ['enableHa', 'bootstrap'] as const) {
    const latest = await latestRun(temporal, key, changeId(key, type));
    if (latest === null) continue;
    const { change } = latest;
    if (name === undefined ? latest.status === 'RUNNING' : name === change.id || name === change.workflowId)
      return change;
  }
  return null;
}

/** Asks the change that runs under this type's ID to cancel, and waits until it has ended. Nothing to do when none runs. */
export async function cancelChange(temporal: ChangeTemporal, key: string, type: ChangeType): Promise<void> {
  const latest = await latestRun(temporal, key, changeId(key, type));
  if (latest === null || latest.status !== 'RUNNING') return;
  const { handle } = latest.change;
  await handle.cancel();
  const ends = performance.now() + CANCELLED_WITHIN_MS;
  while (performance.now() < ends) {
    if ((await handle.describe()).status.name !== 'RUNNING') return;
    await sleep(LOOK_MS);
  }
  // It was asked, and what it could still do is fenced: whoever cancels to destroy must not wait for a set that is gone.
  await handle.terminate('it was asked to cancel and did not come to an end');
}

const CANCELLED_WITHIN_MS = 20_000;

/** How far a change is; null when no worker of its version can be asked at the moment. */
export async function progressOf(handle: WorkflowHandle): Promise<Progress | null> {
  try {
    const query = () => handle.query<Progress>(PROGRESS_QUERY);
    return await handle.client.withDeadline(Date.now() + 2000, query);
  } catch {
    return null;
  }
}

/**
 * Calls `onProgress` whenever something has happened, until the change has ended: its ID is free then. null when `signal`
 * was aborted, which leaves the change alone.
 */
export async function followChange(
  { handle, kind, runId }: Pick<StartedChange, 'handle' | 'kind' | 'runId'>,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<Progress | null> {
  // A handle that came from a start would answer for the run that took this one's place.
  const run = handle.client.getHandle(handle.workflowId, runId, { followRuns: false });
  let last: Progress | null = null;
  const look = async () => {
    const progress = await progressOf(run);
    if (progress === null || JSON.stringify(progress.steps) === JSON.stringify(last?.steps)) return;
    last = progress;
    onProgress(progress);
  };
  const over = new AbortController();
  const looking = (async () => {
    while (!over.signal.aborted && !signal.aborted) {
      await look();
      await sleep(LOOK_MS, undefined, { signal: AbortSignal.any([over.signal, signal]) }).catch(() => undefined);
    }
  })();
  const left = new Promise<null>((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }));
  try {
    const end = await Promise.race([endOf(run), left]);
    if (end === null) return null;
    over.abort();
    await looking;
    const progress = (await progressOf(run)) ?? last ?? unseen(kind);
    if (end.state === 'continued') {
      // The next run takes up the step under way.
      const told = progress.steps.filter(({ state }) => state === 'done' || state === 'failed');
      const whole = (next: Progress) => ({ ...next, steps: [...told, ...next.steps] });
      const rest = await followChange({ handle, kind, runId: end.runId }, (next) => onProgress(whole(next)), signal);
      return rest && whole(rest);
    }
    const next = end.state === 'terminated' ? await movedTo(handle, runId) : null;
    if (next !== null) return await followChange({ ...next, kind }, onProgress, signal);
    const state = end.state === 'terminated' ? 'failed' : end.state;
    const { result, wayOut } = end.state === 'cancelled' && progress.result !== '' ? progress : end;
    const final = { ...progress, result, wayOut, state, waitingFor: null };
    onProgress(final);
    return final;
  } finally {
    over.abort();
  }
}

/** How a run ended; a change that has grown long goes on in another one. */
type End =
  | { readonly state: Progress['state'] | 'terminated'; readonly result: string; readonly wayOut: string }
  | { readonly state: 'continued'; readonly runId: string };

async function endOf(run: WorkflowHandle): Promise<End> {
  try {
    const { text } = (await run.result()) as { text: string };
    return { state: 'done', result: text, wayOut: '' };
  } catch (error) {
    if (error instanceof WorkflowContinuedAsNewError) return { state: 'continued', runId: error.newExecutionRunId };
    if (error instanceof ServiceError) {
      const message = `Temporal does not answer any more, so nobody can say how the change goes: ${reasonOf(error)}.`;
      throw new QuorateError('temporal-lost', message, {
        todo: 'The change goes on by itself. Follow it again with: quorate watch',
        cause: error,
      });
    }
    if (!(error instanceof WorkflowFailedError)) throw error;
    return failureOf(error.cause);
  }
}

function failureOf(cause: unknown): End {
  if (cause instanceof CancelledFailure) {
    // Temporal keeps no words with it; the change itself tells where it has left the environment, if it can be asked.
    const result = 'nobody could be asked where it has left the environment.';
    return { state: 'cancelled', result, wayOut: 'See it with: quorate status' };
  }
  if (cause instanceof TerminatedFailure) {
    const wayOut = 'Type the command again: it goes on from where the environment is.';
    return { state: 'terminated', result: 'it was terminated in Temporal.', wayOut };
  }
  if (cause instanceof ApplicationFailure) {
    const [told] = (cause.details ?? []) as { wayOut?: string }[];
    return {
      state: cause.type === 'Blocked' ? 'blocked' : 'failed',
      result: cause.message,
      wayOut: told?.wayOut ?? '',
    };
  }
  return { state: 'failed', result: reasonOf(cause), wayOut: '' };
}

/** The run that took this one's place: a change that is moved to another version is reset, which ends its run. */
async function movedTo(
  { client, workflowId }: WorkflowHandle,
  runId: string,
): Promise<Pick<StartedChange, 'handle' | 'runId'> | null> {
  // A handle that came from a start names no run: asked what it is, it would say what the latest one is.
  const first = async (handle: WorkflowHandle) => {
    const { runId, raw } = await handle.describe();
    return { runId, first: raw.workflowExecutionInfo?.firstRunId };
  };
  const before = await first(client.getHandle(workflowId, runId));
  const now = await first(client.getHandle(workflowId));
  if (now.runId === before.runId || now.first !== before.first) return null;
  return { handle: client.getHandle(workflowId, now.runId), runId: now.runId };
}

/** A change that nobody could be asked about while it ran. */
function unseen(kind: string): Progress {
  return { kind, number: null, summary: '', state: 'running', steps: [], waitingFor: null, result: '', wayOut: '' };
}

interface LatestRun {
  readonly change: StartedChange;
  readonly status: string;
  readonly startedAt: string;
  readonly progress: Progress | null;
}

async function latestRun(temporal: ChangeTemporal, key: string, workflowId: string): Promise<LatestRun | null> {
  const { workflow } = temporal.client;
  try {
    const { status, runId, type, startTime } = await workflow.getHandle(workflowId).describe();
    const handle = workflow.getHandle(workflowId, runId);
    const progress = await progressOf(handle);
    const change = described(temporal, key, handle, runId, type as ChangeType, progress?.number ?? null);
    return { change, status: status.name, startedAt: startTime.toISOString(), progress };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

function described(
  { namespace, uiUrl }: ChangeTemporal,
  key: string,
  handle: WorkflowHandle,
  runId: string,
  type: ChangeType,
  number: number | null,
): StartedChange {
  const { workflowId } = handle;
  const id = number === null ? workflowId : changeName(key, number);
  return {
    id,
    kind: changeKind(type),
    workflowId,
    runId,
    url: workflowUrl(uiUrl, namespace, workflowId, runId),
    handle,
  };
}

async function numberOf(handle: WorkflowHandle): Promise<number | null> {
  const ends = performance.now() + NUMBER_MS;
  while (performance.now() < ends) {
    const progress = await progressOf(handle);
    if (progress && (progress.number !== null || progress.state !== 'running')) return progress.number;
    await sleep(30);
  }
  return null;
}

function changeRunning(environment: string, workflowId: string, running: RunningChange | null): QuorateError {
  if (running === null) {
    return new QuorateError('change-running', `${environment} is being changed already (${workflowId}).`, {
      todo: 'Try again in a moment.',
    });
  }
  const { change, kind, step, startedAt } = running;
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(startedAt)) / 1000));
  const message = `${environment} is being changed already: ${kind}${step && `, ${step}`}, since ${seconds} s.`;
  const watch = change.id === change.workflowId ? `-e ${environment}` : change.id;
  return new QuorateError('change-running', message, {
    todo: `Follow it with: quorate watch ${watch}${change.url && `      ${change.url}`}`,
  });
}

function summaryOf(type: ChangeType, input: ChangeInputs[ChangeType]): string {
  const { name } = input.environment;
  if (type === 'configure') return changeSummary.configure(name, input.by);
  if (type === 'rotateCa') return changeSummary.rotateCa(name, input.by);
  if (type === 'replace' && 'goal' in input) return changeSummary.replace(name, input.goal.avoid, input.by, input.lost);
  if (type === 'switchover' && 'goal' in input) return changeSummary.switchover(name, input.goal.primary, input.by);
  if ('survivor' in input) return changeSummary.recover(name, input.survivor, input.by);
  if ('goal' in input) return changeSummary.membership(name, input.from, input.goal.controllers, input.by);
  if ('controllers' in input) return changeSummary.bootstrap(name, input.controllers, input.cloud, input.by);
  return type === 'destroy' ? changeSummary.destroy(name, input.by) : name;
}
