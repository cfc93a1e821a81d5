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
