/**
 * Workflow IDs, task queues and search attributes: the locks and the addresses of an environment in Temporal.
 * Pure; workflows import it.
 */

/** NAME-UUID8: two environments of one name never meet. */
export function environmentKey(name: string, uuid: string): string {
  return `${name}-${uuid.slice(0, 8)}`;
}

export const SINGLETONS = ['provisioner', 'cleaner'] as const;
export type Singleton = (typeof SINGLETONS)[number];

export const workflowIds = {
  bootstrap: (key: string) => `${key}:bootstrap`,
  membership: (key: string) => `${key}:membership`,
  singleton: (key: string, name: Singleton) => `${key}:${name}`,
};

/** Three task queues an environment; who polls which is in docs/architecture.md. */
export const taskQueues = {
  workflows: (key: string) => `${key}-workflows`,
  cloud: (key: string) => `${key}-cloud`,
  network: (key: string) => `${key}-network`,
};

/** Worker Deployment name of an environment's workers. */
export const deploymentName = (key: string): string => key;

export const searchAttributes = {
  environment: 'QuorateEnvironment',
  phase: 'QuoratePhase',
  controllers: 'QuorateControllers',
} as const;
