import * as workload from '../../state/workload-machines.js';
import type { Call, Handler } from '../call.js';
import { readMembers } from '../read-facts.js';
import { agentState } from '../status-of.js';

/** How long one request goes on over elections before it says that it could not. */
const WRITE_MS = 15_000;

export const addMachines: Handler<'addMachines'> = async ({ state }, { body, request }) => {
  if (request === null) throw new Error('a change without an idempotency key');
  const { count, constraints = {} } = body;
  const { machines } = await workload.addWorkloadMachines(state, { count, constraints, request }, WRITE_MS);
  return { machines: [...machines] };
};

export const removeMachine: Handler<'removeMachine'> = async ({ state, reader, observer }, call) => {
  const { machine, request } = changeOf(call);
  const force = call.query.force ?? false;
  const members = await reader.read((reading) => readMembers(state, reading));
  const voters = members.filter(({ vote }) => vote).map((member) => member.machine);
  const beat = await state.presence.findOne({ _id: machine });
  const { life } = await workload.removeWorkloadMachine(state, { machine, force, voters, request }, WRITE_MS);
  return { machine, life, agent: agentState(beat ?? undefined, observer.silentMs(machine)) };
};

export const retryProvisioning: Handler<'retryProvisioning'> = async ({ state }, call) => {
  await workload.retryProvisioning(state, changeOf(call), WRITE_MS);
  return {};
};

function changeOf({ params, request }: Call<'removeMachine'> | Call<'retryProvisioning'>) {
  if (request === null) throw new Error('a change without an idempotency key');
  return { machine: params.id ?? '', request };
}
