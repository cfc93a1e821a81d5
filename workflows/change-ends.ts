import { ApplicationFailure, CancelledFailure, sleep } from '@temporalio/workflow';
import type { ChangeInput } from '../src/temporal/progress.js';
import { recordEnd } from './records.js';
import type { Story } from './story.js';

/** This often in a row a deed may fail before the change is blocked on it. */
export const MOST_FAILURES = 12;

/** How a change ends that is blocked on a deed that failed so often. */
export const failedTooOften = (text: string, failures: number, reason: string) =>
  [`${text} failed ${failures} times in a row: ${reason}`, 'When the cause is gone, type the command again.'] as const;

/** Between two attempts of what failed: longer and longer, 5 s at most. */
export async function pauseAfterFailure(text: string, failures: number): Promise<void> {
  await sleep(Math.min(50 * 2 ** failures, 5000), { summary: `before looking again, as this failed: ${text}` });
}

/** Ends the run, which frees the ID: whatever the way out is, it is a new command. */
export async function endBlocked(input: ChangeInput, story: Story, reason: string, wayOut: string): Promise<never> {
  story.end('blocked', reason, wayOut);
  await recordEnd(input, story);
  throw ApplicationFailure.nonRetryable(reason, 'Blocked', { reason, wayOut });
}

/** `text` says where it leaves the environment. */
export async function endCancelled(input: ChangeInput, story: Story, text: string): Promise<never> {
  story.end('cancelled', text);
  await recordEnd(input, story);
  throw new CancelledFailure(text);
}
