import type { Instance, InstanceState } from '../cloud.js';
import { type Conditions, NO_CONDITIONS } from './conditions.js';
import type { IsolationKind } from './isolation.js';
import type { LeaderIdentity, ProcessSeen } from './processes.js';
import type { InstanceRecord } from './records.js';

/** The processes of one instance. */
export interface InstanceGroup {
  /** The start script; null when it is gone (then the machine is off, whoever else is left). */
  readonly leader: ProcessSeen | null;
  /** All of them, the leader included. */
  readonly members: readonly ProcessSeen[];
}

/**
 * Finds an instance's processes among all. Its groups are the leader's, and every group that somebody with the
 * instance's mark is in: a group lies within one session, and a session that holds a marked process was opened by one.
 * So children in groups of their own are found, and a foreign process that got an old PID never is.
 */
export function groupOf(instance: string, leader: LeaderIdentity | null, all: readonly ProcessSeen[]): InstanceGroup {
  const marked = all.filter((each) => each.instance === instance);
  const found = leader === null ? oldestLeader(marked) : recordedLeader(instance, leader, all);
  const groups = new Set(marked.map((each) => each.group));
  if (found !== null) groups.add(found.group);
  return { leader: found, members: all.filter((each) => groups.has(each.group)) };
}

function recordedLeader(instance: string, leader: LeaderIdentity, all: readonly ProcessSeen[]): ProcessSeen | null {
  const found = all.find((each) => each.pid === leader.group && each.startedAt === leader.startedAt);
  return found !== undefined && (found.instance === instance || found.instance === null) ? found : null;
}

/** The start was interrupted before the leader could be recorded: everyone else descends from it, so it is the oldest. */
function oldestLeader(marked: readonly ProcessSeen[]): ProcessSeen | null {
  const leaders = marked.filter((each) => each.pid === each.group);
  return leaders.reduce<ProcessSeen | null>((a, b) => (a === null || b.startedAt < a.startedAt ? b : a), null);
}

/** From what was last ordered (the record) and what is there (the processes). */
export function stateOf(record: InstanceRecord, group: InstanceGroup): InstanceState {
  if (record.power === 'terminated') {
    return record.process === null && group.members.length === 0 ? 'terminated' : 'stopping';
  }
  if (group.leader === null) return record.power === 'on' && record.process === null ? 'pending' : 'stopped';
  if (record.power === 'off') return 'stopping';
  return group.members.every((each) => each.stopped) ? 'paused' : 'running';
}

/** An instance as the local cloud's control panel shows it. */
export interface LocalInstance extends Instance {
  /** Name of its instance type; empty for one that is older than types. */
  readonly type: string;
  readonly isolation: IsolationKind;
  readonly conditions: Conditions;
}

/** What the cloud tells of an instance. */
export function instanceOf(record: InstanceRecord, group: InstanceGroup): LocalInstance {
  const { instance: id, tags, zone, address, ports, startedAt } = record;
  const state = stateOf(record, group);
  // A machine that is off though nobody ordered it went by itself.
  const cause = state === 'stopped' && record.power === 'on' ? 'self' : 'user';
  const { type = '', isolation = 'process', conditions = NO_CONDITIONS } = record;
  return { id, state, tags, zone, type, address, ports, cause, startedAt, isolation, conditions };
}

/** Processes that should not be there any more, in words; null when there are none. */
export function leftoverProblem(id: string, record: InstanceRecord, group: InstanceGroup): string | null {
  const state = stateOf(record, group);
  if (group.members.length === 0 || (state !== 'stopped' && record.power !== 'terminated')) return null;
  const pids = group.members.map((each) => each.pid).join(', ');
  const order = record.power === 'terminated' ? 'terminate' : 'stop';
  return `processes of the ${state} instance ${id} are left: PIDs ${pids}; quorate cloud ${order} ${id} ends them`;
}
