import type { Deed, Machine, Member, Observed, ReplicaSet } from './types.js';

/** Deeds that send a reconfig. */
const RECONFIGS: ReadonlySet<Deed['kind']> = new Set([
  'join',
  'grant-vote',
  'withdraw-vote',
  'remove-members',
  'equal-priority',
  'set-timings',
  'force-survivor',
]);

export const isReconfig = (deed: Deed): boolean => RECONFIGS.has(deed.kind);

/** The members as a deed would leave them; the same ones when it is no reconfig. */
export function membersAfter(observed: Observed, set: ReplicaSet, deed: Deed): readonly Member[] {
  switch (deed.kind) {
    case 'join':
      return [
        ...set.members,
        ...observed.machines.filter((machine) => deed.machines.includes(machine.id)).map(newcomer),
      ];
    case 'grant-vote':
      return change(set, [deed.member], { votes: 1, priority: 1 });
    case 'withdraw-vote':
      return change(set, [deed.member], { votes: 0, priority: 0 });
    case 'equal-priority':
      return change(set, deed.members, { priority: 1 });
    case 'remove-members':
      return set.members.filter((member) => !deed.members.includes(member.id));
    case 'force-survivor':
      return change(set, [deed.member], { votes: 1, priority: 1 }).filter((member) => member.id === deed.member);
    default:
      return set.members;
  }
}

function change(set: ReplicaSet, ids: readonly number[], to: Partial<Member>): readonly Member[] {
  return set.members.map((member) => (ids.includes(member.id) ? { ...member, ...to } : member));
}

const newcomer = (machine: Machine): Member => ({
  id: machine.memberId as number,
  machine: machine.id,
  host: machine.mongo as string,
  votes: 0,
  priority: 0,
  state: 'STARTUP2',
  healthy: true,
  optime: null,
  lagMs: null,
  downMs: 0,
});
