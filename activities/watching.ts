import { Context, log } from '@temporalio/activity';
import { reasonOf } from '../src/errors.js';
import { timeOf } from '../src/temporal/hand-overs.js';
import { HANDED_OVER } from '../src/temporal/names.js';
import { type HandedOver, type Why, workerIdentity } from '../src/temporal/watches.js';

/** The time to a hand-over counts from the last of them. */
const BEAT_MS = 500;

/** What is said with each heartbeat: who has the watch, so that whoever takes over knows from whom. */
interface Beat {
  readonly by: string;
}

/**
 * Heartbeats while a singleton's watch lasts on this machine, and rejects at once when it is cancelled. Where another worker
 * had the watch before in the same round, that is left in the workflow's history: an attempt that is lost leaves no trace
 * there by itself.
 */
export async function watching<T>(machine: string, watch: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat: Beat = { by: workerIdentity(process.pid, `machine ${machine}`) };
  const before = context.info.heartbeatDetails as Beat | undefined;
  if (context.info.attempt > 1 && before !== undefined && before.by !== beat.by) {
    // Nobody waits for it, and the watch goes on without it.
    tellHandOver(context, before.by, beat.by).catch((error) =>
      log.warn('a hand-over could not be told', { from: before.by, reason: reasonOf(error) }),
    );
  }
  const beating = setInterval(() => context.heartbeat(beat), BEAT_MS);
  try {
    return await Promise.race([watch(), context.cancelled]);
  } finally {
    clearInterval(beating);
  }
}

async function tellHandOver({ client, info }: Context, from: string, to: string): Promise<void> {
  const { workflowId } = info.workflowExecution ?? {};
  if (workflowId === undefined) return;
  const handle = client.workflow.getHandle(workflowId);
  const { raw } = await handle.describe();
  const pending = raw.pendingActivities?.find(({ activityId }) => activityId === info.activityId);
  const { lastHeartbeatTime: heard, lastStartedTime: took, lastFailure } = pending ?? {};
  // Where a heartbeat of this attempt came first, the last one of the other is not known any more.
  if (!heard || !took || timeOf(heard) > timeOf(took)) return;
  const told: HandedOver = {
    from,
    to,
    heardAt: new Date(timeOf(heard)).toISOString(),
    tookAt: new Date(timeOf(took)).toISOString(),
    why: whyOf(lastFailure),
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
