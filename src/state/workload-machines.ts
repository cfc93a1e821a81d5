import { randomUUID } from 'node:crypto';
import type { ClientSession } from 'mongodb';
import { QuorateError } from '../errors.js';
import type { Constraints } from '../machines/constraints.js';
import { place } from '../machines/offer.js';
import { removalOf } from '../machines/removal.js';
import type { Job, MachineId } from '../membership/types.js';
import { spread } from '../membership/zones.js';
import type { MachineDocument } from './documents.js';
import { advanceEnvironment } from './fence.js';
import { aliveEnvironment, bootNow, newMachine, noMachine, replaceMachine } from './machines.js';
import { once, type Request } from './requests.js';
import { databaseTime, type State, transaction } from './state.js';

/** Machines that people ask for and take back: job `host-units`. All of it through the API, once for each request. */

const WORKLOAD_JOBS: readonly Job[] = ['host-units'];

/**
 * Documents for `count` machines, spread over the zones that their constraints allow; the provisioner starts their
 * instances. Refuses constraints that nobody can meet. Asked again it answers the same IDs.
 */
export async function addWorkloadMachines(
  state: State,
  given: { readonly count: number; readonly constraints: Constraints; readonly request: Request },
  limitMs?: number,
): Promise<{ readonly machines: readonly MachineId[] }> {
  const { count, constraints, request } = given;
  const createdAt = await databaseTime(state);
  return await once(
    state,
    request,
    async (session) => {
      const environment = await aliveEnvironment(state, session);
      const { zones, instanceTypes = [], nextMachine } = environment;
      const { zones: allowed, instanceType } = place(constraints, { zones, types: instanceTypes });
      const there = await state.machines.find({ life: 'alive' }, { session, projection: { zone: 1 } }).toArray();
      const boot = await bootNow(state, session, environment);
      const chosen = spread(
        allowed,
        there.map(({ zone }) => zone),
        count,
      );
      const machines = chosen.map(
        (zone, index): MachineDocument =>
          newMachine({
            _id: String(nextMachine + index),
            jobs: [...WORKLOAD_JOBS],
            zone,
            nonce: randomUUID(),
            memberId: null,
            boot,
            constraints,
            ...(instanceType === '' ? {} : { instanceType }),
            createdAt,
          }),
      );
      await advanceEnvironment(state, session, environment, { nextMachine: nextMachine + count });
      await state.machines.insertMany(machines, { session });
      return { machines: machines.map(({ _id }) => _id) };
    },
    limitMs,
  );
}

/**
 * Takes a workload machine away (`removalOf` says how). `voters` are the machines whose members vote, as the replica set
 * says; that is asked outside of the transaction, and what is a controller by its document is refused anyway.
 */
export async function removeWorkloadMachine(
  state: State,
  given: {
    readonly machine: MachineId;
    readonly force: boolean;
    readonly voters: readonly (MachineId | null)[];
    readonly request: Request;
  },
  limitMs?: number,
): Promise<{ readonly life: 'dying' | 'dead' }> {
  const { machine: id, force, voters, request } = given;
  return await once(
    state,
    request,
    async (session) => {
      const environment = await aliveEnvironment(state, session);
      const document = await machineNamed(state, session, id);
      const beat = await state.presence.findOne({ _id: id }, { session, projection: { _id: 1 } });
      const controllers = await state.machines
        .find({ jobs: 'manage-state', life: 'alive' }, { session, projection: { _id: 1 } })
        .toArray();
      const { life: before, jobs, instance } = document;
      const life = removalOf({
        machine: { id, life: before, jobs, instance: instance?.state ?? null },
        heard: beat !== null,
        votes: voters.includes(id),
        controllers: controllers.map(({ _id }) => _id),
        force,
      });
      // What was planned on the machine before is refused.
      await advanceEnvironment(state, session, environment, {});
      await replaceMachine(state, session, document, { life });
      return { life };
    },
    limitMs,
  );
}

/** A dying workload machine whose agent has finished becomes dead: its instance may be ended. Done twice it is harmless. */
export async function finishWorkloadMachine(state: State, id: MachineId): Promise<void> {
  await transaction(state, async (session) => {
    const machine = await state.machines.findOne({ _id: id }, { session });
    if (machine?.life !== 'dying' || machine.jobs.some((job) => !WORKLOAD_JOBS.includes(job))) return;
    if (machine.jobs.length > 0) await replaceMachine(state, session, machine, { life: 'dead' });
  });
}

/** Ends the pause after a failed start: the provisioner tries at once, in every zone again. Asked again it answers the same. */
export async function retryProvisioning(
  state: State,
  given: { readonly machine: MachineId; readonly request: Request },
  limitMs?: number,
): Promise<void> {
  const { machine: id, request } = given;
  await once(
    state,
    request,
    async (session) => {
      await aliveEnvironment(state, session);
      const machine = await machineNamed(state, session, id);
      if (machine.life !== 'alive') {
        throw new QuorateError(
          'machine-not-alive',
          `Machine ${id} is ${machine.life}: nothing is started for it any more.`,
        );
      }
      if (machine.instance !== null) {
        throw new QuorateError('has-instance', `Machine ${id} has its instance: there is nothing to try again.`, {
          todo:
            machine.instance.state === 'terminated'
              ? `It is terminated, and that one never comes back: quorate remove-machine ${id}, then quorate add-machine`
              : 'See how it is with: quorate machines',
        });
      }
      const retries = (machine.retries ?? 0) + 1;
      await replaceMachine(state, session, machine, { retries, provisioningError: '', fullZones: [] });
      return {};
    },
    limitMs,
  );
}

async function machineNamed(state: State, session: ClientSession, id: MachineId): Promise<MachineDocument> {
  const machine = await state.machines.findOne({ _id: id }, { session });
  if (machine !== null) return machine;
  throw noMachine(id);
}
