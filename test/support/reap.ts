import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../src/package.js';

/**
 * Starts a reaper beside the test: once its stdin closes, because the test is done or was killed, it ends every process
 * that was given the directory, and removes the directory. Its name holds `quorate-test-`.
 */
export function reap(directory: string): ChildProcess {
  const reaper = spawn(process.execPath, [join(packageRoot(), 'test/support/reaper.mjs'), directory], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  });
  reaper.unref();
  return reaper;
}

/** Lets a reaper do its work and waits until it has. */
export async function reaped(reaper: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => reaper.on('exit', resolve));
  // Waited for now, also by a program that has nothing else to do.
  reaper.ref();
  reaper.stdin?.end();
  await gone;
}
