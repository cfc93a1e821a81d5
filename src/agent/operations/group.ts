import { readdirSync, readFileSync } from 'node:fs';
import { liveStat, signal } from '../../process.js';

/** Signals a group of processes; whether there is one. */
export const signalGroup = (group: number, name: NodeJS.Signals | 0): boolean => signal(-group, name);

/** Whether anything of a group still runs. The dead whom nobody has buried count for the kernel, and not here. */
export function groupLives(group: number): boolean {
  if (!signalGroup(group, 0)) return false;
  if (process.platform !== 'linux') return true;
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && isLiveMember(name, group));
}

function isLiveMember(pid: string, group: number): boolean {
  try {
    return liveStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.group === group;
  } catch {
    return false; // It left while we looked.
  }
}
