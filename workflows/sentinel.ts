import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  continueAsNew,
  isCancellation,
  log,
  ParentClosePolicy,
  setCurrentDetails,
  setWorkflowOptions,
  startChild,
} from '@temporalio/workflow';
import type { InstanceWords } from '../activities/instances.js';
import type { Replacement } from '../activities/sentinel.js';
import { changeSummary, SENTINEL, WORKFLOW_TASK_TIMEOUT, workflowIds } from '../src/temporal/names.js';
import { cloud, network } from './activities.js';
import { keepHandOvers } from './hand-overs.js';
import { isLong } from './length.js';
import { replace } from './membership.js';
import type { SingletonInput } from './singleton.js';
import { Takeover } from './takeover.js';

export interface SentinelInput extends SingletonInput {
  /** What the cloud said last: crosses continue-as-new so that the cloud's next word is known to be new. */
  readonly words?: InstanceWords;
  /** Machines of which the cloud's word is followed whatever it is. */
  readonly concerned?: readonly string[];
}

/** A round lasts at most this long, with nothing to do. */
const ROUND_MS = 5 * 60_000;
/** After a replacement was asked for: its story has begun by then, or what is in its way can be seen. */
const REST_MS = 2000;

/**
 * Watches over the controllers, and has one that is lost replaced. A round is two activities at once, one that looks from
 * inside and one that follows the cloud's word; whichever returns first begins the next round with what it saw. Nothing
 * is remembered that the environment's own documents could say.
 */
export async function sentinel(input: SentinelInput): Promise<never> {
  keepHandOvers();
  let words = input.words ?? {};
  let concerned = input.concerned ?? [];
  let restUntil = 0;
  const takeover = new Takeover(input.key, input.takeoverMs);
  await takeover.refresh();
  for (let round = 0; ; round++) {
    if (isLong(round)) {
      return await continueAsNew<typeof sentinel>({ ...input, ...takeover.carried, words, concerned });
    }
    setCurrentDetails('Runs as long as the environment; watches the controllers, and replaces one that is lost.');
    const seen = await firstToSee(input, { words, concerned }, Math.max(0, restUntil - Date.now()), takeover);
    const isNews = seen.replacement || seen.concerned || JSON.stringify(seen.words ?? words) !== JSON.stringify(words);
    if (seen.words !== undefined) words = seen.words;
    if (seen.concerned !== undefined) concerned = seen.concerned;
    if (!isNews) await takeover.refresh();
    if (!seen.replacement) continue;
    await startReplacement(input, seen.replacement);
    restUntil = Date.now() + REST_MS;
  }
}

// It loops over fresh facts and moves to new code by itself; replay tests guard it.
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, sentinel);

interface Seen {
  readonly words?: InstanceWords;
  readonly concerned?: readonly string[];
  readonly replacement?: Replacement | null;
}

async function firstToSee(
  { key, environment }: SentinelInput,
  { words, concerned }: Required<Pick<SentinelInput, 'words' | 'concerned'>>,
  restMs: number,
  { follow, watch }: Takeover,
): Promise<Seen> {
  const { watchEvidence } = network(key, { as: 'follow', summary: 'watch the controllers', within: follow });
  const summary = 'follow what the cloud says of instances';
  const { followInstances } = cloud(key, { as: 'watch', summary, within: watch });
  const round = new CancellationScope();
  try {
    return await round.run(() =>
      Promise.race<Seen>([
        watchEvidence({ words, concerned, sequence: Date.now(), restMs, forMs: ROUND_MS }).then((found) =>
          found !== null && 'concerned' in found ? found : { replacement: found },
        ),
        followInstances({ environment, known: words, concerned, forMs: ROUND_MS }).then(
          (told) => ({ words: told }),
          (error) => withoutTheCloud(error),
        ),
      ]),
    );
  } finally {
    round.cancel();
  }
}

/** A cloud that cannot be asked must not keep the sentinel from seeing the rest. */
function withoutTheCloud(error: unknown): Promise<never> {
  if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
  log.warn('the cloud cannot be followed', { reason: error.cause?.message ?? error.message });
  return new Promise(() => undefined);
}

/**
 * The replacement is a child so that one command starts it exactly once, and abandoned so that it outlives this run. Its
 * ID is the lock: a change that runs already takes the loss in, since it plans from the same facts.
 */
async function startReplacement({ environment, key }: SentinelInput, found: Replacement): Promise<void> {
  const { lost, from, goal, ui, searchable } = found;
  try {
    await startChild(replace, {
      workflowId: workflowIds.membership(key),
      args: [{ environment, key, by: SENTINEL, ui, searchable, goal, from, lost }],
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      staticSummary: changeSummary.replace(environment.name, [], SENTINEL, lost),
      staticDetails: `${lost.why}\n\nFollow it with: quorate watch -e ${environment.name}`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    log.info('a change that runs already takes the loss in', { ...lost });
  }
}
