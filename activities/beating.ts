import { Context } from '@temporalio/activity';

const BEAT_MS = 1000;

interface Beats {
  readonly everyMs?: number;
  /** What the next attempt finds, should this one be lost. */
  readonly details?: () => unknown;
}

/** Heartbeats while `work` runs, and rejects at once when the activity is cancelled. */
export async function beating<T>(work: () => Promise<T>, { everyMs = BEAT_MS, details }: Beats = {}): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(details?.()), everyMs);
  try {
    return await Promise.race([work(), context.cancelled]);
  } finally {
    clearInterval(beat);
  }
}

/** The same for a watch that may last as long as its environment, which heartbeats no more often than it has to. */
export async function beatingRarely<T>(work: () => Promise<T>): Promise<T> {
  return await beating(work, { everyMs: rareBeatMs(Context.current().info.heartbeatTimeoutMs, BEAT_MS) });
}

/** Milliseconds between heartbeats of a watch: several within its timeout, as each of them may be late or lost. Pure. */
export function rareBeatMs(timeoutMs: number | undefined, least: number): number {
  return Math.max(least, (timeoutMs ?? 0) / BEATS_A_TIMEOUT);
}

const BEATS_A_TIMEOUT = 6;
