import { readFileSync } from 'node:fs';
import { processesOf } from '../../test/support/home.js';

/** Ticks of a second in /proc: USER_HZ, which is 100 on every Linux. */
const HZ = 100;
const MB = 1_000_000;

/** PIDs of everything that runs for the instances under a directory. */
export const pidsOf = (directory: string): number[] => processesOf(directory).map(({ pid }) => pid);

/** Seconds of processor time that these have taken so far. */
export function processorSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = read(`/proc/${pid}/stat`);
    // The name is in brackets and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks / HZ;
}

/** Resident memory of a process, in megabytes. */
export function residentMb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1];
  return (Number(kb ?? 0) * 1024) / MB;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // It is gone.
  }
}
