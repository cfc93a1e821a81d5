import * as maintenance from '../../state/maintenance.js';
import type { Call, Handler } from '../call.js';
import { readMembers } from '../read-facts.js';

/** How long one request goes on over elections before it says that it could not. */
const WRITE_MS = 15_000;

export const putMaintenance: Handler<'putMaintenance'> = async ({ state, reader }, call) => {
  const { machine, request } = changeOf(call);
  const forMs = maintenance.maintenanceMs(call.body.for);
  const members = await reader.read((reading) => readMembers(state, reading));
  const voters = members.filter(({ vote }) => vote);
  const { until } = await maintenance.startMaintenance(state, { machine, forMs, voters, request }, WRITE_MS);
  return { machine, until };
};

export const deleteMaintenance: Handler<'deleteMaintenance'> = async ({ state }, call) => {
  await maintenance.endMaintenance(state, changeOf(call), WRITE_MS);
  return {};
};

function changeOf({ params, request }: Call<'putMaintenance'> | Call<'deleteMaintenance'>) {
  if (request === null) throw new Error('a change without an idempotency key');
  return { machine: params.id ?? '', request };
}
