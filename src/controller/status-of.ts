import type { AgentState, ControllerStatus, MachineStatus, Phase, Status } from '../api/status.js';
import { constraintsText } from '../machines/constraints.js';
import type { MachineDocument, PresenceDocument } from '../state/documents.js';
import { maintenanceLeft } from '../state/maintenance.js';
import { environmentKey } from '../temporal/names.js';
import type { Facts } from './facts.js';
import { ingressView } from './ingress-view.js';
import { problemsOf, restsFor } from './problems.js';

/** What tells of an agent is written once a second; silent for longer than this it is down. */
const DOWN_AFTER_MS = 3000;

/** The environment at a glance. Pure. */
export function statusOf(facts: Facts): Status {
  const { environment, machines, members, stale } = facts;
  const voters = members.filter((member) => member.vote);
  const healthy = voters.filter((member) => member.healthy);
  const primary = stale ? undefined : members.find((member) => member.state === 'PRIMARY' && member.healthy);
  const majority = Math.floor(voters.length / 2) + 1;
  const isController = (machine: MachineDocument) =>
    machine.jobs.includes('manage-environ') ||
    machine.jobs.includes('manage-state') ||
    members.some((member) => member.machine === machine._id);
  const byId = [...machines].sort((a, b) => Number(a._id) - Number(b._id));
  const beats = new Map(facts.presence.map((beat) => [beat._id, beat]));
  const controllers = byId
    .filter(isController)
    .map((machine) => controllerStatus(facts, machine, beats.get(machine._id)));
  const workload = byId
    .filter((machine) => !isController(machine))
    .map((machine) => machineStatus(facts, machine, beats.get(machine._id)));
  const change = runningChange(facts);
  const ha: Omit<Status['ha'], 'problems'> = {
    desired: environment.desired,
    voters: voters.length,
    healthyVoters: healthy.length,
    faultTolerance: primary === undefined ? 0 : Math.max(0, healthy.length - majority),
    primary: primary?.machine ?? null,
  };
  const whole =
    healthy.length === voters.length &&
    voters.length >= environment.desired &&
    controllers.every(({ agent, life }) => (agent === 'started' || agent === 'pending') && life === 'alive');
  return {
    environment: {
      name: environment.name,
      uuid: environment._id,
      cloud: environment.cloud,
      life: environment.life,
      temporal: environment.temporal,
      phase: phaseOf({ quorum: primary !== undefined, changing: change !== null, whole, voters: voters.length }),
    },
    ha: { ...ha, problems: problemsOf({ facts, controllers, workload, ha }) },
    controllers,
    machines: workload,
    change,
    stale,
    answeredBy: facts.self,
  };
}

function phaseOf(seen: { quorum: boolean; changing: boolean; whole: boolean; voters: number }): Phase {
  if (!seen.quorum) return 'no-quorum';
  if (seen.changing) return 'changing';
  if (!seen.whole) return 'degraded';
  return seen.voters > 1 ? 'ha' : 'default';
}

/** What is known of a machine's agent. */
export function agentState(beat: PresenceDocument | undefined, silentMs: number): AgentState {
  if (beat === undefined) return 'pending';
  if (beat.report.status === 'stopping') return 'stopped';
  return silentMs > DOWN_AFTER_MS ? 'down' : 'started';
}

function controllerStatus(
  facts: Facts,
  machine: MachineDocument,
  beat: PresenceDocument | undefined,
): ControllerStatus {
  const silentMs = facts.silentMs[machine._id] ?? 0;
  const agent = agentState(beat, silentMs);
  const member = facts.members.find((candidate) => candidate.machine === machine._id);
  const instance = machine.instance;
  return {
    machine: machine._id,
    instance: instance?.id ?? '',
    zone: machine.zone,
    life: machine.life,
    address: instance?.address ?? '',
    api: instance ? `${instance.address}:${instance.ports.api}` : '',
    ...(instance?.publicAddress ? { public: `${instance.publicAddress}:${instance.ports.api}` } : {}),
    mongo: instance ? `${instance.address}:${instance.ports.mongo}` : '',
    agent,
    since: (agent === 'down' || agent === 'stopped' ? beat?.at : beat?.since)?.toISOString() ?? '',
    silentSeconds: agent === 'down' ? Math.round(silentMs / 100) / 10 : 0,
    sees: agent === 'started' ? (beat?.report.sees ?? []) : [],
    member: member
      ? {
          id: member.id,
          state: member.state,
          vote: member.vote,
          healthy: member.healthy,
          lagSeconds: member.lagSeconds,
        }
      : null,
    services: beat?.report.services ?? {},
    mongod: beat?.report.mongod ?? null,
    succession: beat?.report.succession ?? { stoodUp: 0, freed: 0, off: '' },
    maintenance: maintenanceOf(facts, machine),
    ...ingressView(machine),
    ...ownReport(machine, beat),
    evidence: evidenceOf(facts, machine._id),
  };
}

/** What the sentinel sees of a controller. One that has not looked for long says nothing of what will happen. */
function evidenceOf({ evidence, databaseTime }: Facts, id: string): ControllerStatus['evidence'] {
  const said = evidence?.controllers.find(({ machine }) => machine === id);
  if (said === undefined || evidence === null) return null;
  const seconds = (from: Date, to: Date) => Math.max(0, Math.round((to.getTime() - from.getTime()) / 100) / 10);
  const { verdict, since, next, nextAt } = said;
  const rests = restsFor(evidence, databaseTime) > 0;
  return {
    verdict,
    sinceSeconds: seconds(since, databaseTime),
    next: rests ? '' : next,
    nextInSeconds: rests || nextAt === null ? null : seconds(databaseTime, nextAt),
  };
}

function machineStatus(facts: Facts, machine: MachineDocument, beat: PresenceDocument | undefined): MachineStatus {
  return {
    id: machine._id,
    jobs: machine.jobs,
    life: machine.life,
    instance: machine.instance?.id ?? '',
    zone: machine.zone,
    address: machine.instance?.address ?? '',
    agent: agentState(beat, facts.silentMs[machine._id] ?? 0),
    ...ingressView(machine),
    instanceState: machine.instance?.state ?? '',
    constraints: constraintsText(machine.constraints ?? {}),
    instanceType: machine.instanceType ?? '',
    provisioningError: machine.provisioningError,
    maintenance: maintenanceOf(facts, machine),
    ...ownReport(machine, beat),
  };
}

function maintenanceOf({ databaseTime }: Facts, machine: MachineDocument): MachineStatus['maintenance'] {
  const left = maintenanceLeft(machine, databaseTime);
  if (left === 0 || machine.maintenanceUntil === null) return null;
  return { until: machine.maintenanceUntil.toISOString(), secondsLeft: Math.ceil(left / 1000) };
}

function ownReport({ agentVersion }: MachineDocument, beat: PresenceDocument | undefined) {
  const { disk = null, certificateEnds = '' } = beat?.report ?? {};
  return { agentVersion, disk, certificateEnds };
}

/** The change of controllers that runs; bootstrap stands behind the one that it started. */
function runningChange({ environment, running }: Facts): Status['change'] {
  const [latest] = [...running].sort(
    (a, b) => Number(a.kind === 'bootstrap') - Number(b.kind === 'bootstrap') || b.number - a.number,
  );
  if (latest === undefined) return null;
  const step = latest.steps.find(({ state }) => state === 'running' || state === 'waiting');
  return {
    id: `${environmentKey(environment.name, environment._id)}-${latest.number}`,
    workflowId: latest.workflowId,
    kind: latest.kind,
    step: step?.text ?? '',
    startedAt: latest.startedAt.toISOString(),
    url: latest.url,
  };
}
