import { isCutOff } from './facts.js';
import type { MachineId, Member } from './types.js';

/** "0", "0 and 1", "0, 1 and 2". */
export function list(items: readonly (string | number)[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;
}

/** "machine 1", "machines 1 and 2". */
export function machinesText(ids: readonly MachineId[]): string {
  return `${agree(ids, 'machine', 'machines')} ${list(ids)}`;
}

/** How a member is called in front of people: by its machine where there is one. */
export function memberText(member: Pick<Member, 'id' | 'machine' | 'host'>): string {
  return member.machine === null ? `unknown member ${member.id} (${member.host})` : `machine ${member.machine}`;
}

/** "machines 1 and 2 and unknown member 9 (…)". */
export function membersText(members: readonly Pick<Member, 'id' | 'machine' | 'host'>[]): string {
  const known = members.flatMap((member) => member.machine ?? []);
  const unknown = members.filter((member) => member.machine === null).map(memberText);
  return list([...(known.length > 0 ? [machinesText(known)] : []), ...unknown]);
}

/** Why a member is no part of a majority, as it goes after its name. */
export const absence = (member: Member): string =>
  isCutOff(member) ? 'is cut off from the primary' : 'does not answer';

/** "1 controller", "3 controllers". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** The word that goes with one, or with several. */
export const agree = (items: readonly unknown[], one: string, several: string): string =>
  items.length === 1 ? one : several;

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
