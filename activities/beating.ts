import { Context } from '@temporalio/activity';

const BEAT_MS = 1000;

/** Heartbeats while `work` runs, and rejects at once when the activity is cancelled. */
export async function beating<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), BEAT_MS);
  try {
    return await Promise.race([work(), context.cancelled]);
  } finally {
    clearInterval(beat);
  }
}
