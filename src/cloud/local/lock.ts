import lockfile from 'proper-lockfile';
import { QuorateError } from '../../errors.js';

/** A killed holder's lock is taken over after this long. */
const STALE_MS = 5_000;

/**
 * Does `work` while no other process does any under the same path (a directory `PATH.lock` is the lock).
 * `assertHeld` throws when the lock was lost meanwhile, because this process stood still: call it before anything that
 * cannot be undone.
 */
export async function withLock<T>(path: string, work: (assertHeld: () => void) => Promise<T>): Promise<T> {
  let lost: Error | null = null;
  const release = await acquire(path, (error) => {
    lost = error;
  });
  try {
    return await work(() => {
      if (lost !== null) throw new QuorateError('lock-lost', `the lock ${path}.lock was lost: ${lost.message}`);
    });
  } finally {
    if (lost === null) await release();
  }
}

async function acquire(path: string, onCompromised: (error: Error) => void): Promise<() => Promise<void>> {
  try {
    return await lockfile.lock(path, {
      realpath: false,
      stale: STALE_MS,
      update: 1_000,
      retries: { retries: 600, factor: 1.3, minTimeout: 10, maxTimeout: 100 },
      onCompromised,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
    throw new QuorateError('lock-busy', `another command has held ${path}.lock for a minute`, {
      todo: 'wait for it, or end it, and try again',
      cause: error,
    });
  }
}
