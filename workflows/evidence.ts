import type { Observation } from '../activities/observe.js';
import { answers, machineOf, memberOf } from '../src/membership/facts.js';
import type { Machine, MachineId, ReplicaSet, Step } from '../src/membership/types.js';

type Do = Extract<Step, { kind: 'do' }>;

/**
 * What a step was judged from, in sentences for its story: the config for what touches the set, and for a verdict all that
 * was known of the machine. Told once, when the step begins, so that histories stay small. Pure.
 */
export function evidenceOf({ deed, fence }: Do, observation: Observation): string[] {
  const { set } = observation.observed;
  const config = set === null ? 'no member of the set could be asked' : configText(set, fence ?? set);
  switch (deed.kind) {
    case 'mark-dying':
      return [...deed.machines.map((id) => machineText(id, observation)), config];
    case 'terminate':
      return [machineText(deed.machine, observation), config];
    case 'renew-member':
      return [machineText(deed.machine, observation), config];
    case 'force-survivor':
      return [...notesText(set), config];
    default:
      return fence === null ? [] : [config];
  }
}

function configText({ committed, primary }: ReplicaSet, { version, term }: { version: number; term: number }): string {
  const spread = committed ? 'on a majority' : 'not on a majority yet';
  return `config ${version} of term ${term}, ${spread}; ${primary === null ? 'no primary' : `primary member ${primary}`}`;
}

function machineText(id: MachineId, { observed, evidence }: Observation): string {
  const machine = machineOf(observed, id);
  if (machine === undefined) return `machine ${id}: no document any more`;
  const member = memberOf(observed, id);
  const heard =
    member === undefined ? 'no member' : `member ${member.id} ${answers(member) ? 'answers' : member.state}`;
  return `machine ${id}: ${cloudText(machine)}; ${agentText(machine)}, presence ${evidence[id] ?? 0}; ${heard}`;
}

function cloudText({ instance, checks }: Machine): string {
  if (instance === 'unknown') return 'the cloud could not be asked';
  if (instance === 'none') return 'no instance is known';
  return `the cloud says ${instance}${instance === 'running' && checks === 'failing' ? ', and its checks fail' : ''}`;
}

function agentText({ agent, silentMs, ageMs }: Machine): string {
  if (agent === 'pending') return `its agent was never heard in ${seconds(ageMs)}`;
  return agent === 'started' ? 'its agent is heard' : `its agent is ${agent}, silent for ${seconds(silentMs)}`;
}

function notesText(set: ReplicaSet | null): string[] {
  return (set?.notes ?? []).map(
    ({ member, version, noted }) =>
      `the oplog of member ${member} ${noted ? 'holds' : 'does not hold'} the note of config ${version}`,
  );
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
