import * as workload from '../../state/workload-machines.js';
import type { Handler } from '../call.js';
import { changeOf, machineChangeOf, WRITE_MS } from '../change.js';
import { readMembers } from '../read-facts.js';
import { agentState } from '../status-of.js';

export const addMachines: Handler<'addMachines'> = async ({ state }, call) => {
  const { request } = changeOf(call);
  const { count, constraints = {} } = call.body;
  const { machines } = await workload.addWorkloadMachines(state, { count, constraints, request }, WRITE_MS);
  return { machines: [...machines] };
};

export const removeMachine: Handler<'removeMachine'> = async ({ state, reader, observer }, call) => {
  const { machine, request } = machineChangeOf(call);
  const force = call.query.force ?? false;
  const members = await reader.read((reading) => readMembers(state, reading));
  const voters = members.filter(({ vote }) => vote).map((member) => member.machine);
  const beat = await state.presence.findOne({ _id: machine });
  const { life } = await workload.removeWorkloadMachine(state, { machine, force, voters, request }, WRITE_MS);
  return { machine, life, agent: agentState(beat ?? undefined, observer.silentMs(machine)) };
};

export const retryProvisioning: Handler<'retryProvisioning'> = async ({ state }, call) => {
  await workload.retryProvisioning(state, machineChangeOf(call), WRITE_MS);
  return {};
};
