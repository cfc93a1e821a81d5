import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../src/errors.js';
import { log } from '../src/log/log.js';
import { tracing } from '../src/tracing/tracing.js';

/** Longer than anything takes that comes to an end: workers get 1.2 s, connections some hundredths. */
const GONE_MS = 5000;

/**
 * What was told to end did not. Seen where a hundred processes shared two processors: the end of a worker, which had failed
 * in the SDK, never came, and nobody worked there any more until the process did end.
 */
export class NotEnded extends Error {
  constructor(ms: number) {
    super(`what was told to end has not in ${ms / 1000} s; this process ends, and another one takes its place`);
  }
}

/** @throws NotEnded when it takes longer than anything does that comes to an end */
export async function inTime(ending: Promise<void>, ms = GONE_MS): Promise<void> {
  const over = new AbortController();
  const late = sleep(ms, false, { signal: over.signal });
  late.catch(() => undefined);
  try {
    if (!(await Promise.race([ending.then(() => true), late]))) throw new NotEnded(ms);
  } finally {
    over.abort();
  }
}

/** The end of a process that ran workers: sockets of the SDK's runtime would keep it. */
export async function endWith(running: Promise<void>): Promise<never> {
  const code = await running.then(
    () => 0,
    (error) => {
      log().error(reasonOf(error));
      return 1;
    },
  );
  await tracing()?.end();
  process.exit(code);
}
