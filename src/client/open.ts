import { QuorateError } from '../errors.js';
import type { Store } from '../store/store.js';
import { ApiClient } from './client.js';

/** A client for an environment of the operator's store; refreshed address sets are written back. */
export async function openClient(store: Store, name: string): Promise<ApiClient> {
  const record = await store.readEnvironment(name);
  if (!record) {
    const known = await store.listEnvironments();
    throw new QuorateError('unknown-environment', `there is no environment ${name} on this machine.`, {
      todo: known.length > 0 ? `There is: ${known.join(', ')}.` : 'Make one with: quorate bootstrap local',
      exit: 2,
    });
  }
  const tls = await store.credentials(name);
  if (!tls) {
    throw new QuorateError(
      'not-enrolled',
      `${name} has given this machine no certificate yet: its bootstrap was not finished.`,
      {
        todo: `Go on with: quorate bootstrap ${record.cloud} ${name}`,
      },
    );
  }
  return new ApiClient({
    environment: { uuid: record.uuid, name },
    addresses: record.addresses.servers.map((server) => server.api),
    addressesVersion: record.addresses.version,
    url: record.url,
    tls,
    onAddresses: (set) =>
      store.updateEnvironment(name, (seen) =>
        set.version > seen.addresses.version && seen.uuid === record.uuid ? { ...seen, addresses: set } : null,
      ),
  });
}
