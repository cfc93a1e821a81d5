import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** PIDs of all processes of the PID namespace that a process is in, as the host counts; none where that is our own. */
export function beside(pid: number): number[] {
  const theirs = pidNamespaceOf(pid);
  return theirs === null || theirs === pidNamespaceOf('self') ? [] : within(theirs);
}

/** The PID as the host counts of a process that has this one in its own namespace; null where it is gone. */
export function hostPidOf(pid: number, namespace: string | null): number | null {
  if (namespace === null || namespace === pidNamespaceOf('self')) return pid;
  return within(namespace).find((each) => ownPidOf(each) === pid) ?? null;
}

/** What tells it from others; null for a process that has ended, and where there are none. */
export function pidNamespaceOf(pid: number | 'self'): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}

const within = (namespace: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pidNamespaceOf(pid) === namespace);

/** As it counts itself: the last of all namespaces that it is in (proc(5)). */
function ownPidOf(pid: number): number | null {
  try {
    return Number(/^NSpid:.*\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return null; // It ended while we looked.
  }
}
