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
    const live = stat === null ? null : liveStat(stat);
    return live && { pid, started: live.started };
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

/** Sends a signal to a process, or to a group by its negative number; false when there is none: one that left is no error. */
export function signal(target: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** What a line of /proc/PID/stat (proc(5)) says of a process that lives; null for one that waits to be buried. */
export function liveStat(
  line: string,
): { readonly state: string; readonly group: number; readonly started: string } | null {
  // The second field, the name, may hold spaces and parentheses.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  if (state === undefined || state === 'Z' || state === 'X') return null;
  return { state, group: Number(group), started: fields[19] ?? '' };
}
