import { patched, workflowInfo } from '@temporalio/workflow';

/**
 * Events. A worker that takes a singleton over reads all of its run's history first, within the time that a workflow task
 * has, and a run of 500 events costs it a quarter of a second of processor time: on a machine with twenty times too much to
 * do no worker came to the end of it any more. Where there is nothing to do this is some hours.
 */
const LONGEST_HISTORY = 200;
/** Of runs that began before there was such a bound. */
const MOST_ROUNDS = 200;

/** Whether a singleton's run is so long that the next one is to go on. */
export function isLong(round: number): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  if (round >= MOST_ROUNDS || continueAsNewSuggested) return true;
  return historyLength >= LONGEST_HISTORY && patched('short-histories');
}
