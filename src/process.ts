import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A process that can be told from a later one with the same PID. */
export interface ProcessMark {
  readonly pid: number;
  /** When it started, as the system tells it; opaque. */
  readonly started: string;
}

/** The mark of a live process; null when there is none (a zombie is none). */
export async function markOf(pid: number): Promise<ProcessMark | null> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
    if (stat === null) return null;
    // The second field, the name, may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return { pid, started: fields[19] ?? '' };
  }
  const found = await run('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => null);
  const started = found?.stdout.trim() ?? '';
  return started === '' ? null : { pid, started };
}

/** Ends a process that may be left over from an earlier run, and resolves when it has left. */
export async function endLeftover(mark: ProcessMark, graceMs: number): Promise<void> {
  const alive = async () => (await markOf(mark.pid))?.started === mark.started;
  if (!(await alive())) return;
  signal(mark.pid, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  while (await alive()) {
    if (performance.now() >= deadline) signal(mark.pid, 'SIGKILL');
    await sleep(20);
  }
}

/** Sends a signal; a process that has just left is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
