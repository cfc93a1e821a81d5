import * as maintenance from '../../state/maintenance.js';
import type { Handler } from '../call.js';
import { machineChangeOf, WRITE_MS } from '../change.js';
import { readMembers } from '../read-facts.js';

export const putMaintenance: Handler<'putMaintenance'> = async ({ state, reader }, call) => {
  const { machine, request } = machineChangeOf(call);
  const forMs = maintenance.maintenanceMs(call.body.for);
  const members = await reader.read((reading) => readMembers(state, reading));
  const voters = members.filter(({ vote }) => vote);
  const { until } = await maintenance.startMaintenance(state, { machine, forMs, voters, request }, WRITE_MS);
  return { machine, until };
};

export const deleteMaintenance: Handler<'deleteMaintenance'> = async ({ state }, call) => {
  await maintenance.endMaintenance(state, machineChangeOf(call), WRITE_MS);
  return {};
};
