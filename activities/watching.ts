import { setTimeout as sleep } from 'node:timers/promises';
import { Context, log } from '@temporalio/activity';
import { reasonOf } from '../src/errors.js';
import { timeOf } from '../src/temporal/hand-overs.js';
import { HANDED_OVER } from '../src/temporal/names.js';
import { type HandedOver, type Why, workerIdentity } from '../src/temporal/watches.js';
import { beating, rareBeatMs } from './beating.js';

/** More often than the SDK passes on (every 500 ms), so that each of those is used where it is to be quick. */
const BEAT_MS = 250;
/** What is seen right after a hand-over waits so long for the hand-over to be told. */
const TELLING_MS = 1000;

/** What is said with each heartbeat: who has the watch, so that whoever takes over knows from whom. */
interface Beat {
  readonly by: string;
  /** ISO 8601, by that worker's own clock: for when Temporal has forgotten when it was heard. */
  readonly at: string;
}

/**
 * Heartbeats while a singleton's watch lasts on this machine, and rejects at once when it is cancelled. Where another worker
 * had the watch before in the same round, that is left in the workflow's history: an attempt that is lost leaves no trace
 * there by itself.
 */
export async function watching<T>(machine: string, watch: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const by = workerIdentity(process.pid, `machine ${machine}`);
  const before = context.info.heartbeatDetails as Beat | undefined;
  let told: Promise<void> = Promise.resolve();
  if (context.info.attempt > 1 && before !== undefined && before.by !== by) {
    // The watch goes on meanwhile, and without it.
    told = tellHandOver(context, before, by).catch((error) =>
      log.warn('a hand-over could not be told', { from: before.by, reason: reasonOf(error) }),
    );
  }
  const seeAndTell = async () => {
    const seen = await watch();
    // Why the one before ended is known as long as this attempt is under way.
    await Promise.race([told, sleep(TELLING_MS, undefined, { ref: false })]);
    return seen;
  };
  return await beating(seeAndTell, {
    everyMs: rareBeatMs(context.info.heartbeatTimeoutMs, BEAT_MS),
    details: (): Beat => ({ by, at: new Date().toISOString() }),
  });
}

/** On a busy machine this attempt may have been heard by the time that Temporal is asked, or have ended. */
async function tellHandOver({ client, info }: Context, before: Beat, to: string): Promise<void> {
  const { workflowId } = info.workflowExecution ?? {};
  if (workflowId === undefined) return;
  const handle = client.workflow.getHandle(workflowId);
  const { raw } = await handle.describe();
  const pending = raw.pendingActivities?.find(({ activityId }) => activityId === info.activityId);
  const { lastHeartbeatTime, lastStartedTime } = pending ?? {};
  const tookAt = lastStartedTime ? timeOf(lastStartedTime) : info.currentAttemptScheduledTimestampMs;
  const heardAt = lastHeartbeatTime ? timeOf(lastHeartbeatTime) : tookAt;
  const told: HandedOver = {
    from: before.by,
    to,
    heardAt: heardAt < tookAt ? new Date(heardAt).toISOString() : before.at,
    tookAt: new Date(tookAt).toISOString(),
    why: pending ? whyOf(pending.lastFailure) : 'it was tried again',
  };
  await handle.signal(HANDED_OVER, told);
}

interface Failure {
  readonly timeoutFailureInfo?: unknown;
  readonly applicationFailureInfo?: { readonly type?: string | null } | null;
}

function whyOf(failure: Failure | null | undefined): Why {
  if (failure?.timeoutFailureInfo) return 'its worker was lost';
  return failure?.applicationFailureInfo?.type === 'WorkerLeft' ? 'its worker left' : 'it failed';
}
