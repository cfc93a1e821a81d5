import { QuorateError } from '../../errors.js';
import { abandonChange } from '../../state/changes.js';
import { noMachine } from '../../state/machines.js';
import type { Handler } from '../call.js';
import { readFacts } from '../read-facts.js';
import { agentState, statusOf } from '../status-of.js';
import { changeView, machineView } from '../views.js';

export const status: Handler<'status'> = async ({ state, observer, config, reader }) =>
  statusOf(await reader.read((reading) => readFacts(state, observer, config.machine, reading)));

export const machines: Handler<'machines'> = async ({ reader, observer }) =>
  await reader.read(async (reading) => {
    const [documents, presence] = await Promise.all([reading.machines(), reading.presence()]);
    const beats = new Map(presence.map((beat) => [beat._id, beat]));
    const machines = documents
      .sort((a, b) => Number(a._id) - Number(b._id))
      .map((machine) => machineView(machine, agentState(beats.get(machine._id), observer.silentMs(machine._id))));
    return { machines };
  });

/** Never stale: what is done to a machine is decided by its life. */
export const machine: Handler<'machine'> = async ({ state, observer }, { params: { id = '' } }) => {
  const [document, beat] = await Promise.all([
    state.machines.findOne({ _id: id }),
    state.presence.findOne({ _id: id }),
  ]);
  if (document === null) throw noMachine(id);
  return machineView(document, agentState(beat ?? undefined, observer.silentMs(id)));
};

export const addresses: Handler<'addresses'> = async ({ state, reader }) =>
  await reader.read(async ({ options }) => {
    const [current, environment] = await Promise.all([
      state.addresses.findOne({ _id: 'current' }, options),
      state.environment.findOne({}, options),
    ]);
    const { authority, url = '' } = environment ?? {};
    return {
      version: current?.version ?? 0,
      servers: current?.servers ?? [],
      url,
      ...(authority === undefined ? {} : { authorityVersion: authority.version }),
    };
  });

export const cloud: Handler<'cloud'> = async ({ state, reader }) =>
  await reader.read(async ({ options }) => {
    const { cloud = '', region = '', cloudSettings = {} } = (await state.environment.findOne({}, options)) ?? {};
    return { cloud, region, settings: { ...cloudSettings } };
  });

export const changes: Handler<'changes'> = async ({ state, reader, key }, { query: { limit = 50 } }) =>
  await reader.read(async ({ options }) => {
    const latest = await state.changes.find({}, options).sort({ number: -1 }).limit(limit).toArray();
    return { changes: latest.map((change) => changeView(change, key)) };
  });

export const change: Handler<'change'> = async ({ state, reader, key }, { params: { id = '' } }) =>
  await reader.read(async ({ options }) => {
    const found = await state.changes.findOne(named(id, key), options);
    if (found !== null) return changeView(found, key);
    throw noChange(id);
  });

export const closeChange: Handler<'closeChange'> = async ({ state, key }, { params: { id = '' }, body }) => {
  const [found, environment] = await Promise.all([
    state.changes.findOne(named(id, key)),
    state.environment.findOne({}),
  ]);
  if (found === null || environment === null) throw noChange(id);
  await abandonChange(state, { epoch: environment.epoch }, found._id, body.reason);
  return changeView((await state.changes.findOne({ _id: found._id })) ?? found, key);
};

/** A change by its name, its number or its first run ID. */
function named(id: string, key: string) {
  const number = id.startsWith(`${key}-`) ? id.slice(key.length + 1) : id;
  return /^\d{1,9}$/.test(number) ? { number: Number(number) } : { _id: id };
}

function noChange(id: string): QuorateError {
  return new QuorateError('not-found', `There is no change ${id}.`, { todo: 'See which there are: quorate changes.' });
}
