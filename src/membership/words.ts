import type { MachineId, Member } from './types.js';

/** "0", "0 and 1", "0, 1 and 2". */
export function list(items: readonly (string | number)[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;
}

/** "machine 1", "machines 1 and 2". */
export function machinesText(ids: readonly MachineId[]): string {
  return `${ids.length === 1 ? 'machine' : 'machines'} ${list(ids)}`;
}

/** How a member is called in front of people: by its machine where there is one. */
export function memberText(member: Pick<Member, 'id' | 'machine' | 'host'>): string {
  return member.machine === null ? `unknown member ${member.id} (${member.host})` : `machine ${member.machine}`;
}

/** "1 controller", "3 controllers". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
