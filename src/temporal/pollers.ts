import type { Client } from '@temporalio/client';
import { deploymentName } from './names.js';

/** Who has asked a task queue for work, as Temporal goes on showing it for minutes. */
export interface Poller {
  /** `workerIdentity` of the worker. */
  readonly identity: string;
  /** Build ID of the worker, '' for one that says none. */
  readonly build: string;
  /** Since it asked last. */
  readonly secondsAgo: number;
}

/** temporal.api.enums.v1.TaskQueueType; as numbers, since loading the protocol takes every command 0.1 s. */
const TYPES = { workflows: 1, activities: 2 } as const;

/** Who asks a task queue for work, whether it gets any or not. Throws what Temporal's client throws. */
export async function pollersOf(client: Client, queue: string, type: keyof typeof TYPES): Promise<readonly Poller[]> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: queue },
    taskQueueType: TYPES[type],
  });
  return (pollers ?? []).map(({ identity, deploymentOptions, lastAccessTime }) => ({
    identity: identity ?? '',
    build: deploymentOptions?.buildId ?? '',
    secondsAgo: Date.now() / 1000 - Number(lastAccessTime?.seconds ?? 0),
  }));
}

/** One that is there asks again within a minute. */
const THERE_S = 75;

/** Whether a worker is still there. Pure. */
export const isThere = ({ secondsAgo }: Poller): boolean => secondsAgo < THERE_S;

/** Build ID of the version that new runs of an environment go to, '' where none was made current. Throws as `pollersOf`. */
export async function currentBuild(client: Client, key: string): Promise<string> {
  const { workerDeploymentInfo } = await client.workflowService.describeWorkerDeployment({
    namespace: client.options.namespace,
    deploymentName: deploymentName(key),
  });
  return workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId ?? '';
}
