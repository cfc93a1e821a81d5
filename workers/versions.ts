import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { reasonOf } from '../src/errors.js';
import { log } from '../src/log/log.js';
import { buildId } from '../src/package.js';
import { timeOf } from '../src/temporal/hand-overs.js';
import { deploymentName, workflowIds } from '../src/temporal/names.js';
import { currentBuild, isThere, workersOf } from '../src/temporal/pollers.js';

const { enums, workflow } = proto.temporal.api;

/** The server knows a version once one of its workers has polled; until then it cannot be made current. */
const FIRST_POLL = { within: 30_000, every: 50 } as const;

/**
 * Makes this build the one that new runs go to. A worker of a lower package version leaves a higher one in place, so that
 * a controller that was not updated yet takes nothing back when it restarts.
 */
export async function makeCurrent(client: Client, key: string, signal: AbortSignal): Promise<void> {
  const service = client.workflowService;
  const namespace = client.options.namespace;
  const ours = buildId();
  const deadline = performance.now() + FIRST_POLL.within;
  for (;;) {
    signal.throwIfAborted();
    try {
      const current = await currentBuild(client, key);
      if (current === ours || isOlder(ours, current)) return;
      await service.setWorkerDeploymentCurrentVersion({
        namespace,
        deploymentName: deploymentName(key),
        buildId: ours,
        identity: client.options.identity,
        // A queue that only the previous version polled must not keep everything else from moving on.
        ignoreMissingTaskQueues: true,
      });
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(FIRST_POLL.every, undefined, { signal });
    }
  }
}

/** Whether build `a` is of a lower package version than build `b`; builds of one version are not ordered. */
export function isOlder(a: string, b: string): boolean {
  const numbers = (build: string) => build.split(/[.-]/).slice(0, 3).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (const [index, number] of left.entries()) {
    const other = right[index] ?? 0;
    if (number !== other) return number < other;
  }
  return false;
}

/** After Temporal was away everybody polls again within seconds. */
const UNSERVED_MS = 30_000;

/**
 * For a worker that will leave again: whether it may make its version the current one. Only where there is none, or where
 * for a while nobody was there who serves it: runs would go to a version that nobody serves once it has left.
 */
export class Vacancy {
  #since: number | null = null;

  constructor(
    private readonly client: Client,
    private readonly key: string,
  ) {}

  /** Asked again and again. Throws what Temporal's client throws. */
  async isFree(now: number): Promise<boolean> {
    const { current, pollers } = await workersOf(this.client, this.key);
    if (current === '' || current === buildId()) return true;
    this.#since = pollers.some((poller) => isThere(poller) && poller.build === current) ? null : (this.#since ?? now);
    return this.#since !== null && now - this.#since >= UNSERVED_MS;
  }
}

const UPKEEP_MS = 10_000;

/**
 * For a worker's life: makes its version current, as soon as `isFree`, and then again and again does `upkeep` and sees after
 * pinned runs that nobody serves. Ends with `signal`; a passing failure is tried again at the next turn.
 */
export async function keepVersionCurrent(
  client: Client,
  key: string,
  signal: AbortSignal,
  {
    upkeep = async () => undefined,
    isFree = async () => true,
  }: { readonly upkeep?: () => Promise<void>; readonly isFree?: (now: number) => Promise<boolean> } = {},
): Promise<void> {
  let done = false;
  while (!signal.aborted) {
    try {
      if (!done && (await isFree(performance.now()))) {
        await makeCurrent(client, key, signal);
        done = true;
      }
      await upkeep();
      for (const moved of await moveStranded(client, key)) {
        log().warn(`${moved} waited for workers that are gone; it starts its loop again`);
      }
    } catch (error) {
      if (signal.aborted) return;
      log().warn(`versions of ${key}: ${reasonOf(error)}; trying again`);
    }
    await sleep(UPKEEP_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** A task that nobody picked up for this long waits for workers of its version that are gone. */
const STRANDED_MS = 5000;

/**
 * Moves changes that are pinned to a version which nobody serves any more to this one: on one machine the old worker is
 * gone as soon as the package is updated, and such a run would wait for ever. Changes plan from facts in every round, so
 * the run is reset to its beginning: the loop starts again, and what was done is found done.
 */
export async function moveStranded(client: Client, key: string): Promise<readonly string[]> {
  const moved: string[] = [];
  for (const workflowId of [workflowIds.membership(key), workflowIds.bootstrap(key)]) {
    if (await moveIfStranded(client, key, workflowId)) moved.push(workflowId);
  }
  return moved;
}

async function moveIfStranded(client: Client, key: string, workflowId: string): Promise<boolean> {
  const service = client.workflowService;
  const namespace = client.options.namespace;
  const described = await service
    .describeWorkflowExecution({ namespace, execution: { workflowId } })
    .catch((error) => (/not found/i.test(reasonOf(error)) ? null : Promise.reject(error)));
  const info = described?.workflowExecutionInfo;
  if (!described || info?.status !== enums.v1.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING) return false;
  const { versioningInfo } = info;
  const pinned = versioningInfo?.behavior === enums.v1.VersioningBehavior.VERSIONING_BEHAVIOR_PINNED;
  const version = versioningInfo?.versioningOverride?.pinned?.version ?? versioningInfo?.deploymentVersion;
  if (!pinned || !version || version.buildId === buildId() || isOlder(buildId(), version.buildId ?? '')) return false;
  if (!isWaiting(described)) return false;

  const execution = { workflowId, runId: info.execution?.runId ?? '' };
  const first = await firstTaskCompleted(client, execution);
  if (first === null) return false;
  await service.resetWorkflowExecution({
    namespace,
    workflowExecution: execution,
    reason: `no worker of ${version.buildId} is left; moved to ${buildId()}`,
    requestId: randomUUID(),
    workflowTaskFinishEventId: first,
    postResetOperations: [
      {
        updateWorkflowOptions: {
          updateMask: { paths: ['versioning_override'] },
          workflowExecutionOptions: {
            versioningOverride: {
              pinned: {
                behavior: workflow.v1.VersioningOverride.PinnedOverrideBehavior.PINNED_OVERRIDE_BEHAVIOR_PINNED,
                version: { deploymentName: deploymentName(key), buildId: buildId() },
              },
            },
          },
        },
      },
    ],
  });
  return true;
}

type Described = Awaited<ReturnType<Client['workflowService']['describeWorkflowExecution']>>;

function isWaiting(described: Described): boolean {
  const since = (time: Parameters<typeof timeOf>[0]) => (time ? Date.now() - timeOf(time) : 0);
  const { pendingWorkflowTask: task, pendingActivities } = described;
  const scheduled = enums.v1.PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED;
  if (task?.state === scheduled && since(task.scheduledTime) > STRANDED_MS) return true;
  return (pendingActivities ?? []).some(
    ({ state, scheduledTime }) =>
      state === enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED && since(scheduledTime) > STRANDED_MS,
  );
}

async function firstTaskCompleted(client: Client, execution: { workflowId: string; runId: string }) {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution,
    maximumPageSize: 20,
  });
  const completed = enums.v1.EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED;
  return history?.events?.find(({ eventType }) => eventType === completed)?.eventId ?? null;
}
