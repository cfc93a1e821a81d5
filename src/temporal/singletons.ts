import type { Client } from '@temporalio/client';
import { environmentKey, SINGLETONS, type Singleton, taskQueues, WORKFLOW_TASK_TIMEOUT, workflowIds } from './names.js';

interface Environment {
  readonly name: string;
  readonly uuid: string;
}

/** What each of them does, in words that go after its name. */
export const PURPOSE: Readonly<Record<Singleton, string>> = {
  provisioner: 'starts and ends instances',
  firewaller: 'opens exposed ports, and closes all others',
  cleaner: 'forgets machines that are gone, and what is left of them',
  publisher: 'keeps the addresses of controllers in the bucket',
  sentinel: 'replaces controllers that are lost',
};

/** Starts the environment's singletons; those that run stay as they are. */
export async function ensureSingletons(client: Client, environment: Environment): Promise<void> {
  const key = environmentKey(environment.name, environment.uuid);
  await Promise.all(
    SINGLETONS.map((name) =>
      client.workflow.start(name, {
        workflowId: workflowIds.singleton(key, name),
        taskQueue: taskQueues.workflows(key),
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        args: [{ environment, key }],
        staticSummary: `${environment.name}: ${PURPOSE[name]}`,
      }),
    ),
  );
}

/**
 * Ends the singletons for good. They keep nothing that could be left half done (each piece of work is an activity that is
 * harmless done twice), so they are terminated and not asked.
 */
export async function endSingletons(client: Client, environment: Environment): Promise<void> {
  const key = environmentKey(environment.name, environment.uuid);
  await Promise.all(
    SINGLETONS.map(async (name) => {
      try {
        await client.workflow.getHandle(workflowIds.singleton(key, name)).terminate('the environment is destroyed');
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'WorkflowNotFoundError') throw error;
      }
    }),
  );
}
