import type { Grace, InstanceSeen, Machine, MachineId, Observed, ReplicaSet } from '../src/membership/types.js';
import { CONTROLLER_CONSTRAINTS, controllerZones } from '../src/state/controller-constraints.js';
import type {
  AddressesDocument,
  EnvironmentDocument,
  MachineDocument,
  PresenceDocument,
  SettingDocument,
} from '../src/state/documents.js';
import { countedResyncs } from '../src/state/resyncs.js';
import { durationMs, resyncAfterMs, timingsFrom } from '../src/state/settings.js';

/** Everything that was read, as it was read. */
export interface Facts {
  readonly set: ReplicaSet | null;
  readonly environment: EnvironmentDocument;
  readonly machines: readonly MachineDocument[];
  readonly presence: readonly PresenceDocument[];
  readonly addresses: AddressesDocument | null;
  readonly settings: readonly SettingDocument[];
  /** Milliseconds of silence by machine, on the observer's own clock. */
  readonly silent: ReadonlyMap<MachineId, number>;
  /** Of these, the milliseconds in which others were heard: what a grace is measured by. */
  readonly missed: ReadonlyMap<MachineId, number>;
  /** What the cloud said just now, where it was asked; the documents' word otherwise. */
  readonly instances: Readonly<Record<MachineId, InstanceSeen>>;
  /** Agents of machines that are not among these, heard and without the published address set. */
  readonly othersLate?: number;
  /** The database's time, to age what carries the database's dates. */
  readonly databaseTime: Date;
}

/** What tells of an agent is written once a second; silent for longer than this it counts as down. */
const DOWN_AFTER_MS = 2500;
/** One that said that it stops has stopped when it is silent for this long. */
const STOPPED_AFTER_MS = 1000;

/** Puts together what the planner looks at. Pure. */
export function observedFrom(facts: Facts): Observed {
  const { environment, addresses } = facts;
  const grace = graceFrom(environment.cloud, facts.settings);
  return {
    set: facts.set,
    machines: facts.machines.map((machine) => machineFrom(machine, facts, grace)),
    ...(facts.othersLate ? { othersLate: facts.othersLate } : {}),
    addresses: {
      version: addresses?.version ?? 0,
      machines: addresses?.servers.map(({ machine }) => machine) ?? [],
    },
    environmentVersion: environment.version,
    life: environment.life,
    zones: controllerZones(environment, storedOf(facts.settings, CONTROLLER_CONSTRAINTS)),
    next: { machine: environment.nextMachine, member: environment.nextMember },
    grace,
    timings: timingsFrom(Object.fromEntries(facts.settings.map(({ _id, value }) => [_id, value]))),
  };
}

function machineFrom(machine: MachineDocument, facts: Facts, { memberMs }: Grace): Machine {
  const beat = facts.presence.find(({ _id }) => _id === machine._id);
  const silentMs = facts.silent.get(machine._id) ?? 0;
  const agent = agentOf(beat, silentMs);
  const running = (service: 'mongod' | 'api' | 'worker') =>
    agent === 'started' && beat?.report.services[service]?.state === 'running';
  // Right after its member was renewed its agent still runs the mongod of the one before.
  const own = (beat?.report.mongod?.member ?? machine.memberId) === machine.memberId;
  return {
    id: machine._id,
    jobs: machine.jobs,
    life: machine.life,
    zone: machine.zone,
    memberId: machine.memberId,
    mongo: machine.instance?.address ? `${machine.instance.address}:${machine.instance.ports.mongo}` : null,
    instance: facts.instances[machine._id] ?? instanceOf(machine),
    ...(machine.instance?.checks ? { checks: machine.instance.checks } : {}),
    problem: machine.provisioningError,
    agent,
    silentMs: agent === 'down' || agent === 'stopped' ? (facts.missed.get(machine._id) ?? 0) : 0,
    services: { mongod: running('mongod') && own, api: running('api'), worker: running('worker') },
    addressVersion: beat?.report.addressVersion ?? 0,
    ageMs: Math.max(0, facts.databaseTime.getTime() - machine.createdAt.getTime()),
    maintenance: machine.maintenanceUntil !== null && machine.maintenanceUntil > facts.databaseTime,
    resyncs: countedResyncs(machine, facts.databaseTime, memberMs),
  };
}

function agentOf(beat: PresenceDocument | undefined, silentMs: number): Machine['agent'] {
  if (beat === undefined) return 'pending';
  if (beat.report.status === 'stopping') return silentMs > STOPPED_AFTER_MS ? 'stopped' : 'started';
  return isHeard(silentMs) ? 'started' : 'down';
}

export const isHeard = (silentMs: number): boolean => silentMs <= DOWN_AFTER_MS;

/** The cloud's word as the provisioner wrote it down. */
function instanceOf({ instance }: MachineDocument): InstanceSeen {
  return instance === null ? 'none' : seenAs(instance.state);
}

/** A cloud's word for an instance, in the planner's words. */
export function seenAs(state: string): InstanceSeen {
  switch (state) {
    case 'pending':
    case 'running':
    case 'stopped':
    case 'terminated':
      return state;
    case 'stopping':
      return 'stopped';
    case 'paused':
      return 'running';
    default:
      return 'unknown';
  }
}

const SECOND = 1000;
const DEFAULT_GRACE: Readonly<Record<string, Omit<Grace, 'memberMs'>>> = {
  local: { stoppedMs: 0, runningMs: 15 * SECOND, silentMs: 15 * SECOND },
  ec2: { stoppedMs: 60 * SECOND, runningMs: 300 * SECOND, silentMs: 60 * SECOND },
};

/** How long a silent controller is waited for, by the cloud and the settings `grace`, `stopped-grace` and `resync-after`. */
function graceFrom(cloud: string, settings: readonly SettingDocument[]): Grace {
  const defaults = DEFAULT_GRACE[cloud] ?? { stoppedMs: 60 * SECOND, runningMs: 300 * SECOND, silentMs: 60 * SECOND };
  const value = (key: string) => storedOf(settings, key);
  const set = (key: string) => durationMs(value(key) ?? '');
  const grace = set('grace');
  return {
    stoppedMs: set('stopped-grace') ?? defaults.stoppedMs,
    runningMs: grace ?? defaults.runningMs,
    silentMs: grace ?? defaults.silentMs,
    memberMs: resyncAfterMs(cloud, value('resync-after')),
  };
}

const storedOf = (settings: readonly SettingDocument[], key: string): string | undefined =>
  settings.find(({ _id }) => _id === key)?.value;
