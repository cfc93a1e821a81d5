import { defineSearchAttributeKey } from '@temporalio/common';
import { ActivityFailure, CancellationScope, log, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { ChangeRecord } from '../activities/record.js';
import { searchAttributes, workflowUrl } from '../src/temporal/names.js';
import type { ChangeInput } from '../src/temporal/progress.js';
import { network } from './activities.js';
import type { Story } from './story.js';

const ENVIRONMENT = defineSearchAttributeKey(searchAttributes.environment, 'KEYWORD');
const PHASE = defineSearchAttributeKey(searchAttributes.phase, 'KEYWORD');
const CONTROLLERS = defineSearchAttributeKey(searchAttributes.controllers, 'INT');

/** A frozen controller's worker swallows as many attempts as it has polls open (workers/worker.ts): the next one must fit too. */
const ATTEMPT = '3s';

/** What the environment keeps of a change, as it stands; activities write it along with what they do. */
export function recordOf(input: ChangeInput, story: Story): ChangeRecord {
  const { workflowId, firstExecutionRunId, namespace, startTime } = workflowInfo();
  const { kind, summary, state, steps, result, wayOut } = story.progress();
  return {
    id: firstExecutionRunId,
    kind,
    summary,
    workflowId,
    url: workflowUrl(input.ui, namespace, workflowId, firstExecutionRunId),
    by: input.by,
    startedAt: startTime.toISOString(),
    state,
    // What is foreseen changes all the time and is asked of the workflow itself.
    steps: steps.filter((step) => step.state !== 'next'),
    earlier: story.earlier,
    sequence: story.nextRecord(),
    result: wayOut === '' ? result : `${result} ${wayOut}`,
  };
}

/**
 * Begins the story in the environment, under the next number, and keeps what was asked for. Without a majority it cannot be
 * written; the change goes on, since it may be the one that brings the majority back. Answers how many controllers are asked
 * for, or null when nobody can say.
 */
export async function recordBegin(input: ChangeInput, story: Story, desired: number | null): Promise<number | null> {
  const { begin } = network(input.key, {
    as: 'bounded',
    summary: 'write down what was asked for',
    within: { scheduleToCloseTimeout: '12s', startToCloseTimeout: ATTEMPT },
  });
  const begun = await orGoOn('the beginning of the change', begin({ record: recordOf(input, story), desired }));
  if (begun === null) return null;
  story.numbered(begun.number);
  return begun.desired;
}

/**
 * Writes how the change ended into the environment. The ID must become free even if that cannot be written (no majority
 * is left): the story is in Temporal too, and the document is closed by the next change.
 */
export async function recordEnd(input: ChangeInput, story: Story): Promise<void> {
  await writeDown('the end of the change', 'write down how it ended', input, story);
}

/** Writes what a run has told of a change that goes on in the next run, which tells only what comes then. */
export async function recordSoFar(input: ChangeInput, story: Story): Promise<void> {
  await writeDown('the story of the change', 'write down how far it is', input, story);
}

async function writeDown(what: string, summary: string, input: ChangeInput, story: Story): Promise<void> {
  const { recordChange } = network(input.key, {
    as: 'bounded',
    summary,
    within: { scheduleToCloseTimeout: '15s', startToCloseTimeout: ATTEMPT },
  });
  const record = recordOf(input, story);
  await orGoOn(
    what,
    CancellationScope.nonCancellable(() => recordChange(record)),
  );
}

async function orGoOn<T>(what: string, written: Promise<T>): Promise<T | null> {
  try {
    return await written;
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    log.warn(`${what} could not be written to the environment`, { reason: error.cause?.message });
    return null;
  }
}

/** Sets the search attributes that a change is found by. */
export function showPhase(input: ChangeInput, phase: string, controllers: number): void {
  if (!input.searchable) return;
  upsertSearchAttributes([
    { key: ENVIRONMENT, value: input.environment.name },
    { key: PHASE, value: phase },
    { key: CONTROLLERS, value: controllers },
  ]);
}
