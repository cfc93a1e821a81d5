import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import type { AskedChange, PlannedChange } from '../../workflows/plan-change.js';
import { QuorateError, reasonOf, usageError } from '../errors.js';
import type { RecoveryView } from '../membership/recovery.js';
import type { ChangeTemporal } from './changes.js';
import { taskQueues } from './names.js';

export type { AskedChange } from '../../workflows/plan-change.js';
export type Planned = Extract<PlannedChange, { ok: true }>;

/** Has every member asked what it holds, by whichever controller can; nothing is done. */
export async function surveyMembers(temporal: ChangeTemporal, key: string): Promise<RecoveryView> {
  return (await execute(temporal, key, 'surveyMembers', [{ key }], 'what each member holds')) as RecoveryView;
}

/** Has a change planned on fresh facts by whichever controller can; refuses what cannot be had. Nothing is done. */
export async function planChange(temporal: ChangeTemporal, key: string, asked: AskedChange): Promise<Planned> {
  const summary = `what ${asked.kind} would do`;
  const planned = (await execute(temporal, key, 'planChange', [{ key, asked }], summary)) as PlannedChange;
  if (planned.ok) return planned;
  throw usageError('bad-change', planned.message, planned.todo);
}

/** A workflow that only looks: no lock is held. */
async function execute(
  temporal: ChangeTemporal,
  key: string,
  type: 'planChange' | 'surveyMembers',
  args: unknown[],
  staticSummary: string,
): Promise<unknown> {
  try {
    return await temporal.client.workflow.execute(type, {
      workflowId: `${key}:plan:${randomUUID()}`,
      taskQueue: taskQueues.workflows(key),
      args,
      workflowExecutionTimeout: '30s',
      staticSummary,
    });
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw new QuorateError('no-plan', `no controller could look at the environment: ${reasonOf(error.cause)}.`, {
      todo: 'See how it is with: quorate status',
      cause: error,
    });
  }
}
