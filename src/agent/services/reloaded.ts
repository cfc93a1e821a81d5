import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../pki/trust.js';
import { signal } from '../../process.js';
import { readIfThere } from '../../store/files.js';

const WITHIN_MS = 3000;
const LOOK_MS = 20;

/**
 * Has one of our own processes read its certificates anew (SIGHUP), and waits until it says in its file that it goes by what
 * lies in these files now.
 */
export async function reloaded(pid: number, loadedFile: string, files: readonly string[]): Promise<void> {
  const wanted = digestOf(...(await Promise.all(files.map((file) => readFile(file, 'utf8')))));
  if ((await readIfThere(loadedFile)) === wanted) return;
  signal(pid, 'SIGHUP');
  for (const ends = performance.now() + WITHIN_MS; performance.now() < ends; await sleep(LOOK_MS)) {
    if ((await readIfThere(loadedFile)) === wanted) return;
  }
  throw new Error(`nothing was said within ${WITHIN_MS / 1000} s`);
}
