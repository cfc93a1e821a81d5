import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import type { AskedChange, PlannedChange } from '../../workflows/plan-change.js';
import { QuorateError, reasonOf, usageError } from '../errors.js';
import type { ChangeTemporal } from './changes.js';
import { taskQueues } from './names.js';

export type { AskedChange } from '../../workflows/plan-change.js';
export type Planned = Extract<PlannedChange, { ok: true }>;

/** Has a change planned on fresh facts by whichever controller can; refuses what cannot be had. Nothing is done. */
export async function planChange(temporal: ChangeTemporal, key: string, asked: AskedChange): Promise<Planned> {
  let planned: PlannedChange;
  try {
    planned = (await temporal.client.workflow.execute('planChange', {
      workflowId: `${key}:plan:${randomUUID()}`,
      taskQueue: taskQueues.workflows(key),
      args: [{ key, asked }],
      workflowExecutionTimeout: '30s',
      staticSummary: `what ${asked.kind} would do`,
    })) as PlannedChange;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw new QuorateError('no-plan', `no controller could look at the environment: ${reasonOf(error.cause)}.`, {
      todo: 'See how it is with: quorate status',
      cause: error,
    });
  }
  if (planned.ok) return planned;
  throw usageError('bad-change', planned.message, planned.todo);
}
