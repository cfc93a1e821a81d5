import { isDeepStrictEqual } from 'node:util';
import type { ClientSession } from 'mongodb';
import { QuorateError } from '../errors.js';
import type { MachineId } from '../membership/types.js';
import type { AddressesDocument, MachineDocument, ServerAddress } from './documents.js';
import { advanceEnvironment, checkFence, type Fence } from './fence.js';
import type { InstanceRecord } from './instance-record.js';
import { type State, transaction } from './state.js';

/** Publishes exactly these machines as the address set, under the next version; the set as it is when it is that already. */
export async function publish(state: State, fence: Fence, machines: readonly MachineId[]): Promise<AddressesDocument> {
  return await transaction(state, async (session) => {
    const environment = await checkFence(state, session, fence);
    const current = await state.addresses.findOne({ _id: 'current' }, { session });
    const documents = await state.machines.find({ _id: { $in: [...machines] } }, { session }).toArray();
    const servers = machines.map((id) =>
      serverAddress(
        id,
        documents.find((machine) => machine._id === id),
      ),
    );
    if (current !== null && JSON.stringify(current.servers) === JSON.stringify(servers)) return current;
    const next: AddressesDocument = { _id: 'current', version: (current?.version ?? 0) + 1, servers };
    await advanceEnvironment(state, session, environment, {});
    const { _id, ...replacement } = next;
    await state.addresses.replaceOne({ _id }, replacement, { session, upsert: true });
    return next;
  });
}

/**
 * A machine that is published and has other addresses now (its instance was stopped and started: the public one is new) is
 * published with those. One that has none for the moment stays as it was.
 */
export async function republish(state: State, session: ClientSession, machine: MachineDocument): Promise<void> {
  const current = await state.addresses.findOne({ _id: 'current' }, { session });
  const published = current?.servers.find((server) => server.machine === machine._id);
  if (current === null || published === undefined || !machine.instance?.address) return;
  const now = serverAt(machine._id, machine.instance);
  if (isDeepStrictEqual(published, now)) return;
  const servers = current.servers.map((server) => (server === published ? now : server));
  await state.addresses.replaceOne({ _id: 'current' }, { version: current.version + 1, servers }, { session });
}

/** The published address set; version 0 and empty before the first. */
export async function readAddresses(state: State): Promise<AddressesDocument> {
  return (await state.addresses.findOne({ _id: 'current' })) ?? { _id: 'current', version: 0, servers: [] };
}

/** host:port of a machine's two listeners, once the cloud has given it an address. */
export function serverAddress(id: MachineId, machine: MachineDocument | undefined): ServerAddress {
  const instance = machine?.instance;
  if (instance === null || instance === undefined || instance.address === '') {
    throw new QuorateError('no-address', `Machine ${id} has no address yet and cannot be published.`);
  }
  return serverAt(id, instance);
}

/** The same for an instance that has one. Pure. */
export function serverAt(
  machine: MachineId,
  { address, publicAddress = '', ports }: Pick<InstanceRecord, 'address' | 'publicAddress' | 'ports'>,
): ServerAddress {
  return {
    machine,
    api: `${address}:${ports.api}`,
    mongo: `${address}:${ports.mongo}`,
    ...(publicAddress === '' ? {} : { public: `${publicAddress}:${ports.api}` }),
  };
}
