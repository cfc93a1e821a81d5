import type { Client } from '@temporalio/client';
import { timeOf } from './hand-overs.js';
import { deploymentName, taskQueues } from './names.js';
import { codeOf, GRPC } from './refusals.js';

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
/** temporal.api.enums.v1.DescribeTaskQueueMode. */
const ENHANCED = 1;
/** Of a server that does not take the second question. */
const NOT_ASKED: ReadonlySet<number> = new Set([GRPC.invalidArgument, GRPC.unimplemented]);

/**
 * Who asks a task queue for work, whether it gets any or not. A queue has partitions, of which a worker asks some: the plain
 * question is answered by the first of them alone, for all versions; the other one by all of them, for workers without a
 * version and for those of the version that is named. Throws what Temporal's client throws.
 *
 * @param version DEPLOYMENT:BUILD
 */
export async function pollersOf(
  client: Client,
  queue: string,
  type: keyof typeof TYPES,
  version?: string,
): Promise<readonly Poller[]> {
  const about = { namespace: client.options.namespace, taskQueue: { name: queue } };
  const buildIds = version === undefined ? [] : [version];
  const [plain, enhanced] = await Promise.all([
    client.workflowService.describeTaskQueue({ ...about, taskQueueType: TYPES[type] }),
    client.workflowService
      .describeTaskQueue({
        ...about,
        apiMode: ENHANCED,
        taskQueueTypes: [TYPES[type]],
        versions: { unversioned: true, buildIds },
        reportPollers: true,
      })
      .catch((error) => (NOT_ASKED.has(codeOf(error)) ? null : Promise.reject(error))),
  ]);
  const everywhere = Object.values(enhanced?.versionsInfo ?? {})
    .flatMap(({ typesInfo }) => Object.values(typesInfo ?? {}))
    .flatMap(({ pollers }) => pollers ?? []);
  const byIdentity = new Map<string, Poller>();
  for (const { identity, deploymentOptions, lastAccessTime } of [...(plain.pollers ?? []), ...everywhere]) {
    const poller = {
      identity: identity ?? '',
      build: deploymentOptions?.buildId ?? '',
      secondsAgo: (Date.now() - timeOf(lastAccessTime)) / 1000,
    };
    const known = byIdentity.get(poller.identity);
    if (known === undefined || poller.secondsAgo < known.secondsAgo) byIdentity.set(poller.identity, poller);
  }
  return [...byIdentity.values()];
}

/** One that is there asks again within a minute. */
const THERE_S = 75;

/** Whether a worker is still there. Pure. */
export const isThere = ({ secondsAgo }: Poller): boolean => secondsAgo < THERE_S;

/** Build ID of the version that new runs of an environment go to, '' where none was made current. Throws as `pollersOf`. */
export async function currentBuild(client: Client, key: string): Promise<string> {
  try {
    const { workerDeploymentInfo } = await client.workflowService.describeWorkerDeployment({
      namespace: client.options.namespace,
      deploymentName: deploymentName(key),
    });
    return workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId ?? '';
  } catch (error) {
    if (codeOf(error) === GRPC.notFound) return '';
    throw error;
  }
}

/**
 * Who asks for workflow tasks of an environment: all that serve the current version, of others those that ask the first
 * partition. Throws as `pollersOf`.
 */
export async function workersOf(
  client: Client,
  key: string,
): Promise<{ readonly current: string; readonly pollers: readonly Poller[] }> {
  const current = await currentBuild(client, key);
  const version = current === '' ? undefined : `${deploymentName(key)}:${current}`;
  return { current, pollers: await pollersOf(client, taskQueues.workflows(key), 'workflows', version) };
}
