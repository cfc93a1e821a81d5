import { randomUUID } from 'node:crypto';
import { closestMatch } from 'leven';
import type { ClientSession } from 'mongodb';
import { QuorateError } from '../errors.js';
import type { Job, MachineId } from '../membership/types.js';
import { packageVersion } from '../package.js';
import { republish } from './addresses.js';
import { controllerFields } from './controller-constraints.js';
import type { EnvironmentDocument, MachineDocument } from './documents.js';
import { advanceEnvironment, checkFence, type Epoch, type Fence, stale } from './fence.js';
import { type InstanceRecord, isSameRecord, kept } from './instance-record.js';
import { countedResyncs } from './resyncs.js';
import { resyncAfterMs } from './settings.js';
import { databaseTime, type State, transaction } from './state.js';

const CONTROLLER_JOBS: readonly Job[] = ['manage-state', 'manage-environ'];

/**
 * Documents for `count` new controllers, spread over `zones` in order; the provisioner starts their instances. Everything
 * an instance is started with (nonce, addresses, URL) is fixed here. Refused while the environment is not alive.
 */
export async function addControllers(
  state: State,
  fence: Fence,
  request: { readonly count: number; readonly zones: readonly string[] },
): Promise<MachineDocument[]> {
  const createdAt = await databaseTime(state);
  return await transaction(state, async (session) => {
    const environment = await checkFence(state, session, fence);
    refuseUnlessAlive(environment);
    const boot = await bootNow(state, session, environment);
    const fields = await controllerFields(state, session, environment);
    const machines = Array.from(
      { length: request.count },
      (_, index): MachineDocument =>
        newMachine({
          _id: String(environment.nextMachine + index),
          jobs: [...CONTROLLER_JOBS],
          zone: request.zones[index % request.zones.length] ?? '',
          nonce: randomUUID(),
          memberId: environment.nextMember + index,
          boot,
          ...fields,
          createdAt,
        }),
    );
    await advanceEnvironment(state, session, environment, {
      nextMachine: environment.nextMachine + request.count,
      nextMember: environment.nextMember + request.count,
    });
    if (machines.length > 0) await state.machines.insertMany(machines, { session });
    return machines;
  });
}

/** Gives alive machines the controller's jobs, each with a member ID of its own that was never used. */
export async function addJobs(state: State, fence: Fence, machines: readonly MachineId[]): Promise<MachineDocument[]> {
  return await transaction(state, async (session) => {
    const environment = await checkFence(state, session, fence);
    refuseUnlessAlive(environment);
    const changed: MachineDocument[] = [];
    let nextMember = environment.nextMember;
    for (const machine of await readMachines(state, session, machines)) {
      if (machine.life !== 'alive') {
        throw new QuorateError(
          'machine-not-alive',
          `Machine ${machine._id} is ${machine.life} and cannot become a controller.`,
        );
      }
      if (machine.jobs.includes('manage-state')) continue;
      const jobs = [...new Set([...machine.jobs, ...CONTROLLER_JOBS])];
      changed.push(
        await replaceMachine(state, session, machine, { jobs, memberId: nextMember, knewKeys: false, resyncs: 0 }),
      );
      nextMember += 1;
    }
    await advanceEnvironment(state, session, environment, { nextMember });
    return changed;
  });
}

/** Takes the controller's jobs away; a machine with no job left becomes dying. It knew the keys until they are rotated. */
export async function dropJobs(state: State, fence: Fence, machines: readonly MachineId[]): Promise<MachineDocument[]> {
  return await transaction(state, async (session) => {
    const environment = await checkFence(state, session, fence);
    const changed: MachineDocument[] = [];
    for (const machine of await readMachines(state, session, machines)) {
      const jobs = machine.jobs.filter((job) => !CONTROLLER_JOBS.includes(job));
      if (jobs.length === machine.jobs.length && (jobs.length > 0 || machine.life !== 'alive')) continue;
      const life = jobs.length === 0 && machine.life === 'alive' ? 'dying' : machine.life;
      const knewKeys = machine.knewKeys || machine.jobs.includes('manage-environ');
      changed.push(await replaceMachine(state, session, machine, { jobs, life, memberId: null, knewKeys }));
    }
    await advanceEnvironment(state, session, environment, {});
    return changed;
  });
}

/**
 * Resync in place: a controller gets a member ID that was never used. Its agent sees it, ends the mongod of the one before
 * with its data and starts another in an empty directory.
 */
export async function renewMember(state: State, fence: Fence, machine: MachineId): Promise<MachineDocument> {
  const resyncedAt = await databaseTime(state);
  return await transaction(state, async (session) => {
    const environment = await checkFence(state, session, fence);
    const [document] = (await readMachines(state, session, [machine])) as [MachineDocument];
    if (document.life !== 'alive' || document.memberId === null)
      throw stale(`machine ${machine} is no controller any more`);
    const memberId = environment.nextMember;
    const setting = await state.settings.findOne({ _id: 'resync-after' }, { session });
    const resyncs = 1 + countedResyncs(document, resyncedAt, resyncAfterMs(environment.cloud, setting?.value));
    await advanceEnvironment(state, session, environment, { nextMember: memberId + 1 });
    return await replaceMachine(state, session, document, { memberId, resyncs, resyncedAt });
  });
}

/**
 * The verdict that machines are lost, written before anything is done to them: alive ones become dying, whatever jobs they
 * have. `evidence` holds the presence sequence number that each was judged from; when an agent has written since, all of it
 * fails as `stale`.
 */
export async function markDying(
  state: State,
  fence: Epoch | Fence,
  machines: readonly MachineId[],
  evidence: Readonly<Record<MachineId, number>> = {},
): Promise<MachineDocument[]> {
  return await transaction(state, async (session) => {
    const environment = await checkFence(state, session, fence);
    const beats = await state.presence.find({ _id: { $in: Object.keys(evidence) } }, { session }).toArray();
    for (const [machine, seq] of Object.entries(evidence)) {
      const now = beats.find((beat) => beat._id === machine)?.seq ?? 0;
      if (now !== seq) throw stale(`machine ${machine} has been heard of again`);
    }
    const changed: MachineDocument[] = [];
    for (const machine of await readMachines(state, session, machines)) {
      if (machine.life === 'alive') changed.push(await replaceMachine(state, session, machine, { life: 'dying' }));
    }
    await advanceEnvironment(state, session, environment, {});
    return changed;
  });
}

/** Dying machines become dead: their instances may be terminated now. Life only goes forward, so alive ones are refused. */
export async function markDead(
  state: State,
  fence: Epoch | Fence,
  machines: readonly MachineId[],
): Promise<MachineDocument[]> {
  return await transaction(state, async (session) => {
    const environment = await checkFence(state, session, fence);
    const changed: MachineDocument[] = [];
    for (const machine of await readMachines(state, session, machines)) {
      if (machine.life === 'alive') {
        throw new QuorateError('machine-alive', `Machine ${machine._id} is alive and must be dying before it is dead.`);
      }
      if (machine.life === 'dying') changed.push(await replaceMachine(state, session, machine, { life: 'dead' }));
    }
    await advanceEnvironment(state, session, environment, {});
    return changed;
  });
}

/**
 * Records the instance of a machine, or why it could not be started. Named by the nonce, which an instance is started
 * with, so that a late record cannot land on another machine; a record that says nothing new changes nothing. Where it is
 * published and its addresses are others by now, the next address set has them.
 */
export async function recordInstance(
  state: State,
  fence: Epoch,
  machine: { readonly id: MachineId; readonly nonce: string },
  found: InstanceRecord | { readonly error: string },
): Promise<MachineDocument> {
  const now = await databaseTime(state);
  return await transaction(state, async (session) => {
    await checkFence(state, session, fence);
    const document = await state.machines.findOne({ _id: machine.id, nonce: machine.nonce }, { session });
    if (document === null) throw stale(`machine ${machine.id} with this nonce is not known`);
    if ('error' in found) {
      if (document.provisioningError === found.error) return document;
      return await replaceMachine(state, session, document, { provisioningError: found.error });
    }
    const { zone = document.zone, fault = '', ...said } = found;
    const before = document.instance;
    // What is terminated stays so, whoever looked earlier and writes later.
    if (before?.id === said.id && before.state === 'terminated') return document;
    const same = before !== null && isSameRecord(before, said) && document.zone === zone;
    if (same && document.provisioningError === fault) return document;
    const recordedAt = before?.id === said.id ? before.recordedAt : now;
    const instance = { ...kept(said), recordedAt };
    const { fullZones: _, ...rest } = document;
    const recorded = await replaceMachine(state, session, rest, { instance, zone, provisioningError: fault });
    await republish(state, session, recorded);
    return recorded;
  });
}

/** Removes everything that is kept of a dead machine whose instance is gone. Done twice it is harmless. */
export async function forgetMachine(state: State, fence: Epoch, machine: MachineId): Promise<void> {
  await transaction(state, async (session) => {
    await checkFence(state, session, fence);
    const document = await state.machines.findOne({ _id: machine }, { session });
    if (document === null) return;
    if (document.life !== 'dead') {
      throw new QuorateError('machine-not-dead', `Machine ${machine} is ${document.life} and cannot be forgotten yet.`);
    }
    await state.machines.deleteOne({ _id: machine, version: document.version }, { session });
    await state.presence.deleteOne({ _id: machine }, { session });
    await state.tokens.deleteOne({ _id: document.nonce }, { session });
  });
}

/** The environment becomes dying: nothing starts an instance any more. Done twice it is harmless. */
export async function setEnvironmentDying(state: State, fence: Epoch): Promise<EnvironmentDocument> {
  return await transaction(state, async (session) => {
    const environment = await checkFence(state, session, fence);
    if (environment.life !== 'alive') return environment;
    return await advanceEnvironment(state, session, environment, { life: 'dying' });
  });
}

/** The version of its package that a machine's agent runs; written when it changes. */
export async function setAgentVersion(state: State, machine: MachineId, agentVersion: string): Promise<void> {
  await transaction(state, async (session) => {
    const document = await state.machines.findOne({ _id: machine }, { session });
    if (document === null || document.agentVersion === agentVersion) return;
    await replaceMachine(state, session, document, { agentVersion });
  });
}

export function refuseUnlessAlive(environment: EnvironmentDocument): void {
  if (environment.life === 'alive') return;
  throw new QuorateError(
    'environment-not-alive',
    `${environment.name} is being destroyed: nothing is started in it any more.`,
  );
}

type NewMachine = Pick<MachineDocument, '_id' | 'jobs' | 'zone' | 'nonce' | 'memberId' | 'boot' | 'createdAt'>;

/** A machine's document as it begins: alive, with no instance yet unless one is among the fields. */
export function newMachine(fields: NewMachine & Partial<MachineDocument>): MachineDocument {
  return {
    life: 'alive',
    instance: null,
    provisioningError: '',
    agentVersion: '',
    knewKeys: false,
    maintenanceUntil: null,
    resyncs: 0,
    version: 1,
    ...fields,
  };
}

/** What the user data of a machine that is added now is fixed with. */
export async function bootNow(
  state: State,
  session: ClientSession,
  { url }: EnvironmentDocument,
): Promise<MachineDocument['boot']> {
  const addresses = await state.addresses.findOne({ _id: 'current' }, { session });
  return { addresses: addresses?.servers.map(({ api }) => api) ?? [], url, version: packageVersion() };
}

/** The environment in which something new may begin; throws `no-environment`, or `environment-not-alive`. */
export async function aliveEnvironment(state: State, session: ClientSession): Promise<EnvironmentDocument> {
  const environment = await state.environment.findOne({}, { session });
  if (environment === null) throw new QuorateError('no-environment', 'The state holds no environment.');
  refuseUnlessAlive(environment);
  return environment;
}

/** Refusal of a machine ID that no document has; the nearest of `others` is named, where they are known. */
export function noMachine(id: MachineId, others: readonly MachineId[] = []): QuorateError {
  const near = closestMatch(id, others, { maxDistance: 1 });
  return new QuorateError('not-found', `There is no machine ${id}.`, {
    todo: `${near === undefined ? '' : `Is ${near} meant? `}See which there are: quorate machines.`,
  });
}

async function readMachines(
  state: State,
  session: ClientSession,
  ids: readonly MachineId[],
): Promise<MachineDocument[]> {
  const found = await state.machines.find({ _id: { $in: [...ids] } }, { session }).toArray();
  const missing = ids.filter((id) => !found.some((machine) => machine._id === id));
  if (missing.length > 0) {
    throw new QuorateError('no-machine', `There is no machine ${missing.join(', ')} in this environment.`);
  }
  return ids.flatMap((id) => found.filter((machine) => machine._id === id));
}

/** Replaces the whole document, so that change streams carry it exactly as it was at that version. */
export async function replaceMachine(
  state: State,
  session: ClientSession,
  machine: MachineDocument,
  fields: Partial<Omit<MachineDocument, '_id' | 'version'>>,
): Promise<MachineDocument> {
  const next = { ...machine, ...fields, version: machine.version + 1 };
  const { _id, ...replacement } = next;
  const { matchedCount } = await state.machines.replaceOne({ _id, version: machine.version }, replacement, { session });
  if (matchedCount === 0) throw stale(`machine ${machine._id} has changed meanwhile`);
  return next;
}
