import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Filter } from 'mongodb';
import { QuorateError } from '../src/errors.js';
import { isSilent, silentMachines, unheardMachines } from '../src/membership/facts.js';
import { plan } from '../src/membership/plan.js';
import type { Expired, Goal, InstanceSeen, MachineId, Observed, Step, WaitFor } from '../src/membership/types.js';
import { stillExpired } from '../src/membership/waits.js';
import { CONTROLLER_CONSTRAINTS, controllerZones, whyNotOffered } from '../src/state/controller-constraints.js';
import type { MachineDocument } from '../src/state/documents.js';
import { type ReadOptions, readEvenAlone } from '../src/state/even-alone.js';
import { readPresence } from '../src/state/presence.js';
import { TIMINGS } from '../src/state/settings.js';
import type { State } from '../src/state/state.js';
import type { Network } from './network.js';
import { isHeard, observedFrom } from './observed.js';
import { type ChangeRecord, writeRecordBeside } from './record.js';

export interface ObserveRequest {
  readonly goal: Goal;
  readonly expired: readonly Expired[];
  /** A wait under way: return when the plan answers anything else, or at its end. null: return at once. */
  readonly wait: { readonly for: WaitFor; readonly machines: readonly MachineId[]; readonly leftMs: number } | null;
  /** What the cloud said of instances, where it was asked. */
  readonly instances: Readonly<Record<MachineId, InstanceSeen>>;
  /** A wait also returns after this long while a machine is not heard, so that the cloud is asked about it again. */
  readonly askCloudInMs: number;
  readonly record: ChangeRecord;
}

export interface Observation {
  readonly observed: Observed;
  /** Presence sequence of each machine: what a verdict on it was judged from. */
  readonly evidence: Readonly<Record<MachineId, number>>;
  /** The wait came to its end without what was waited for. */
  readonly expired: boolean;
  /**
   * The cloud should be asked about machines that are not heard. Said here, as the workflow's own clock may not decide what
   * it does next: a worker that takes over after a lost workflow task was seen to have an older one.
   */
  readonly askCloud: boolean;
}

/** One wait is at most this long an activity; the workflow waits again until the wait's own end. */
const LONGEST_MS = 10 * 60_000;
/** Less than this is no shortening, only the time between two looks. */
const SOONER_MS = 1000;
/** Looks follow each other this fast at first; a long wait is looked at less often, which costs it at most a quarter second. */
const LOOK_AGAIN_MS = { least: 30, most: 250 };
/** Longer than an election takes that has to wait for its timeout, where that is the default. */
const ELECTION_MS = 3000;

/** What a plan that is only told is made from. */
export interface Lookout {
  readonly observed: Observed;
  /** Controllers that were asked for last. */
  readonly desired: number;
  /** Why the constraints that were asked for cannot be had. */
  readonly refusal?: { readonly message: string; readonly todo: string };
}

export type ObserveActivities = ReturnType<typeof observeActivities>;

export function observeActivities(network: Network) {
  return {
    /** Looks at the environment; as a wait it looks again and again until the planner would answer something else. */
    async observe(request: ObserveRequest): Promise<Observation> {
      const context = Context.current();
      const record = writeRecordBeside(network, request.record);
      try {
        if (request.wait === null) {
          const seen = await look(network, request.instances, namedBy(request.goal));
          return { ...seen, expired: false, askCloud: isCloudDue(seen.observed, request, 0) };
        }
        return await waitUntilPlanned(network, request, request.wait, context);
      } finally {
        await record;
      }
    },

    /**
     * For a plan that is only told, of controllers and the machines that were named; an older workflow names none, and is
     * told of all. An election that is under way is waited for, as it says nothing of what will be. `constraints` are what
     * new controllers would have to be, where that is asked for with the plan.
     */
    async lookAround({
      named,
      constraints,
    }: {
      readonly named?: readonly MachineId[];
      readonly constraints?: string;
    } = {}): Promise<Lookout> {
      const { state } = network;
      const [observed, environment] = await Promise.all([
        lookForPrimary(network, named ?? null),
        readEvenAlone(state, (from) => state.environment.findOne({}, from)),
      ]);
      const desired = environment?.desired ?? 1;
      if (constraints === undefined || environment === null) return { observed, desired };
      const refusal = whyNotOffered(environment, constraints);
      if (refusal !== null) return { observed, desired, refusal };
      return { observed: { ...observed, zones: controllerZones(environment, constraints) }, desired };
    },
  };
}

async function lookForPrimary(network: Network, named: readonly MachineId[] | null): Promise<Observed> {
  const deadline = performance.now() + ELECTION_MS;
  for (;;) {
    const { observed } = await look(network, {}, named);
    if (observed.set?.primary != null || performance.now() > deadline) return observed;
    await sleep(LOOK_AGAIN_MS.most);
  }
}

async function waitUntilPlanned(
  network: Network,
  request: ObserveRequest,
  wait: NonNullable<ObserveRequest['wait']>,
  context: Context,
): Promise<Observation> {
  const { goal, expired, instances } = request;
  // Another worker may continue this wait: the time that went by before is in the heartbeat.
  const before = (context.info.heartbeatDetails as { waitedMs: number } | undefined)?.waitedMs ?? 0;
  const began = performance.now();
  for (;;) {
    const { observed, evidence } = await look(network, instances, namedBy(goal));
    const waitedMs = before + (performance.now() - began);
    const askCloud = isCloudDue(observed, request, waitedMs);
    const step = plan(observed, goal, stillExpired(observed, expired));
    if (!isSameWait(step, wait) || endsSooner(step, wait.leftMs - waitedMs)) {
      return { observed, evidence, expired: false, askCloud };
    }
    const leftMs = wait.leftMs - waitedMs;
    if (leftMs <= 0 && !hasGrace(observed, step)) return { observed, evidence, expired: true, askCloud };
    if (askCloud || waitedMs >= LONGEST_MS) return { observed, evidence, expired: false, askCloud };
    context.heartbeat({ waitedMs });
    const pause = Math.min(
      LOOK_AGAIN_MS.most,
      LOOK_AGAIN_MS.least + waitedMs / 20,
      leftMs > 0 ? leftMs : LOOK_AGAIN_MS.most,
    );
    await sleep(Math.max(1, pause), undefined, { signal: context.cancellationSignal });
  }
}

/** At once about a machine that has just fallen silent, then from time to time while one is not heard. */
function isCloudDue(observed: Observed, { instances, askCloudInMs }: ObserveRequest, waitedMs: number): boolean {
  if (unheardMachines(observed).length === 0) return false;
  return waitedMs >= askCloudInMs || silentMachines(observed).some((machine) => instances[machine] === undefined);
}

function isSameWait(step: Step, wait: { readonly for: WaitFor; readonly machines: readonly MachineId[] }): boolean {
  return (
    step.kind === 'wait' &&
    step.for === wait.for &&
    step.machines.length === wait.machines.length &&
    step.machines.every((machine, index) => machine === wait.machines[index])
  );
}

/**
 * A silent machine is waited for until it was silent for its grace, which does not pass while nobody's presence is written.
 * Without a primary none can be, and only the members tell: there the wait's own time counts.
 */
export function hasGrace({ set, machines }: Observed, step: Step): boolean {
  if (set === null || set.primary === null || step.kind !== 'wait' || step.for !== 'healthy') return false;
  const areSilent = step.machines.every((id) => machines.some((machine) => machine.id === id && isSilent(machine)));
  return areSilent && step.deadlineMs > SOONER_MS;
}

/** What is seen meanwhile may shorten a wait: a machine that falls silent has its grace, not the time of a slow start. */
function endsSooner(step: Step, leftMs: number): boolean {
  return step.kind === 'wait' && step.deadlineMs + SOONER_MS < leftMs;
}

const namedBy = ({ to, keep, avoid, primary }: Goal): readonly MachineId[] => [
  ...to,
  ...keep,
  ...avoid,
  ...(primary === null ? [] : [primary]),
];

/**
 * One look at the controllers, at those that were and at the machines that are named (null: at all machines): thousands of
 * workload machines would be in every history, and are no concern. Documents are read from a secondary where there is no
 * primary: what a majority had, or even it alone, is better than nothing, and whatever is planned on it is fenced.
 */
export async function look(
  network: Network,
  instances: ObserveRequest['instances'],
  named: readonly MachineId[] | null,
): Promise<Pick<Observation, 'observed' | 'evidence'>> {
  const { state, observer, presence } = network;
  const documents = await readEvenAlone(state, (from) => readDocuments(network, named, from));
  const { alone, machines, environment, beats, addresses, settings, othersLate } = documents;
  const ids = machines.map(({ _id }) => _id);
  if (environment === null) throw new QuorateError('no-environment', 'The state holds no environment.');
  const set = await observer.observe(hostsOf(network, machines));
  // There is a majority again, which may never have had what one member has.
  if (alone && set !== null && set.primary !== null) return await look(network, instances, named);
  // A member may carry the tag of a machine that is no controller: somebody's handiwork.
  const tagged = set?.members.flatMap(({ machine }) => machine ?? []) ?? [];
  const strangers = tagged.filter((id) => !ids.includes(id) && named?.includes(id) === false);
  if (strangers.length > 0) return await look(network, instances, [...(named ?? []), ...strangers]);
  const silent = new Map(machines.map(({ _id }) => [_id, presence.silentMs(_id)]));
  const missed = new Map(machines.map(({ _id }) => [_id, presence.missedMs(_id)]));
  const observed = observedFrom({
    set,
    environment,
    machines,
    presence: beats,
    addresses,
    settings,
    silent,
    missed,
    instances,
    othersLate,
    databaseTime: latestOf(environment.createdAt, beats),
  });
  return { observed, evidence: Object.fromEntries(beats.map(({ _id, seq }) => [_id, seq])) };
}

async function readDocuments(network: Network, named: readonly MachineId[] | null, from: ReadOptions) {
  const { state } = network;
  // The machines first: who is left out of them is asked for by its presence.
  const machines = await readConcerned(state, named, from);
  const ids = machines.map(({ _id }) => _id);
  const [environment, beats, addresses, settings] = await Promise.all([
    state.environment.findOne({}, from),
    readPresence(state, { _id: { $in: ids } }, from),
    state.addresses.findOne({ _id: 'current' }, from),
    state.settings
      .find({ _id: { $in: ['grace', 'stopped-grace', 'resync-after', CONTROLLER_CONSTRAINTS, ...TIMINGS] } }, from)
      .toArray(),
  ]);
  const othersLate = await countLate(network, addresses?.version ?? 0, new Set(ids), from);
  return { alone: from.readConcern.level === 'local', machines, environment, beats, addresses, settings, othersLate };
}

async function readConcerned(
  state: State,
  named: readonly MachineId[] | null,
  from: ReadOptions,
): Promise<MachineDocument[]> {
  const concerned: Filter<MachineDocument> = {
    $or: [
      { jobs: { $in: ['manage-state', 'manage-environ'] } },
      // Its jobs were dropped, and it has no other.
      { jobs: { $eq: [] } },
      { memberId: { $ne: null } },
      { knewKeys: true },
      { _id: { $in: [...(named ?? [])] } },
    ],
  };
  return await state.machines
    .find(named === null ? {} : concerned, from)
    .sort({ _id: 1 })
    .toArray();
}

/** Agents of other machines that are heard and have not the published address set: where all have it, nothing is read. */
async function countLate(
  { state, presence }: Network,
  version: number,
  concerned: ReadonlySet<MachineId>,
  from: ReadOptions,
): Promise<number> {
  const late = await state.presence
    .find(
      { 'report.addressVersion': { $lt: version }, 'report.status': 'started' },
      { ...from, projection: { _id: 1 } },
    )
    .toArray();
  return late.filter(({ _id }) => !concerned.has(_id) && isHeard(presence.silentMs(_id))).length;
}

export function hostOf({ address, ports }: NonNullable<MachineDocument['instance']>): string {
  return `${address}:${ports.mongo}`;
}

/** Every mongod there may be: those of the documents, and those that this controller knew from the start. */
export function hostsOf(network: Network, machines: readonly MachineDocument[]): string[] {
  const known = machines.flatMap(({ jobs, instance }) =>
    jobs.includes('manage-state') && instance?.address ? [hostOf(instance)] : [],
  );
  return known.length > 0 ? known : [...network.hosts];
}

/** The newest date that the database itself wrote: its time, near enough for the age of a machine. */
function latestOf(createdAt: Date, beats: readonly { at: Date }[]): Date {
  return new Date(Math.max(createdAt.getTime(), ...beats.map(({ at }) => at.getTime())));
}
