import type { Client } from '@temporalio/client';
import { deploymentName } from '../src/temporal/names.js';

/** Who has lately asked a task queue for work. */
export interface Poller {
  /** `workerIdentity` of the worker. */
  readonly identity: string;
  /** Build ID of the worker, '' for one that says none. */
  readonly build: string;
}

/** Temporal goes on showing who polled; one that is there asks again within a minute. */
const POLLED_MS = 75_000;
/** temporal.api.enums.v1.TaskQueueType */
const TYPES = { workflows: 1, activities: 2 } as const;

/** Who asks a task queue for work, whether it gets any or not. Throws what Temporal's client throws. */
export async function pollersOf(client: Client, queue: string, type: keyof typeof TYPES): Promise<readonly Poller[]> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: queue },
    taskQueueType: TYPES[type],
  });
  return (pollers ?? [])
    .filter(({ lastAccessTime }) => Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1000 < POLLED_MS)
    .map(({ identity, deploymentOptions }) => ({ identity: identity ?? '', build: deploymentOptions?.buildId ?? '' }));
}

/** Build ID of the version that new runs of an environment go to, '' where none was made current. Throws as `pollersOf`. */
export async function currentBuild(client: Client, key: string): Promise<string> {
  const { workerDeploymentInfo } = await client.workflowService.describeWorkerDeployment({
    namespace: client.options.namespace,
    deploymentName: deploymentName(key),
  });
  return workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId ?? '';
}
