import { Context, log } from '@temporalio/activity';
import { QuorateError, reasonOf } from '../src/errors.js';
import { beginChange, type ChangeBeginning, endChange, recordSteps } from '../src/state/changes.js';
import type { ChangeDocument, ChangeStep } from '../src/state/documents.js';
import type { Progress } from '../src/temporal/progress.js';
import type { Network } from './network.js';

/** What the environment keeps of a change. Plain JSON; small. */
export interface ChangeRecord extends ChangeBeginning {
  readonly state: Progress['state'];
  /** Of this run. */
  readonly steps: readonly ChangeStep[];
  /** Steps that earlier runs have written, which come before; absent where there were none. */
  readonly earlier?: number;
  /** Counted up with every record: a late one never overwrites a newer one. */
  readonly sequence: number;
  readonly result: string;
}

/** Begins a change. Whether it comes too late is told by when changes started; where that says so, Temporal has the last word. */
export async function beginStory({ state, fence }: Network, change: ChangeBeginning): Promise<ChangeDocument> {
  try {
    return await beginChange(state, fence, change);
  } catch (error) {
    if (!(error instanceof QuorateError) || error.code !== 'superseded' || !(await holdsId(change))) throw error;
    return await beginChange(state, fence, change, { holdsId: true });
  }
}

/** Whether the change is the one that runs under its workflow ID. */
async function holdsId({ id, workflowId }: ChangeBeginning): Promise<boolean> {
  const { raw, status } = await Context.current().client.workflow.getHandle(workflowId).describe();
  return status.name === 'RUNNING' && raw.workflowExecutionInfo?.firstRunId === id;
}

/** Writes a change's story as it stands, and its end once it has one. */
export async function writeRecord(network: Network, record: ChangeRecord): Promise<void> {
  const { state, fence } = network;
  const { id, kind, summary, workflowId, url, by, startedAt, steps, earlier = 0, sequence, result } = record;
  if (record.state === 'running') {
    await recordSteps(state, fence, id, { sequence, steps, earlier });
    return;
  }
  // A change that never reached the environment before, such as bootstrap, begins and ends here.
  await beginStory(network, { id, kind, summary, workflowId, url, by, startedAt });
  await endChange(state, fence, id, { state: record.state, result, steps, earlier });
}

/** Nobody waits longer than this for a story: without a primary it would take as long as a transaction may. */
const BESIDE_MS = 1500;

/**
 * The same beside something that matters more: a story that cannot be written now is written with the next step. One that
 * comes late overwrites nothing newer.
 */
export async function writeRecordBeside(network: Network, record: ChangeRecord): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the database does not take it')), BESIDE_MS);
  });
  try {
    if (network.state.primary() === null) throw new Error('there is no primary');
    await Promise.race([writeRecord(network, record), late]);
  } catch (error) {
    log.warn('the story of the change could not be written', { reason: reasonOf(error) });
  } finally {
    clearTimeout(timer);
  }
}
