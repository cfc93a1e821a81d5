import { QuorateError, reasonOf } from '../errors.js';
import { expiresAt, isDue } from '../pki/certificate.js';
import type { EnvironmentRecord, Store } from '../store/store.js';
import { ApiClient, type ApiClientOptions } from './client.js';

const RENEW_WITHIN_MS = 3000;

/**
 * A client for an environment of the operator's store; refreshed address sets are written back, and so is the operator's
 * next certificate when the present one is near its end. `besides`: host:port of API servers that the store may not know.
 */
export async function openClient(store: Store, name: string, besides: readonly string[] = []): Promise<ApiClient> {
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
  const client = clientOf(store, record, { tls }, besides);
  if (isDue(tls.certificate)) await renew(store, name, client, tls.certificate);
  return client;
}

/** A client for a record, with this login. */
export function clientOf(
  store: Store,
  record: EnvironmentRecord,
  login: Pick<ApiClientOptions, 'tls' | 'token'>,
  besides: readonly string[] = [],
): ApiClient {
  const { name, uuid, url, addresses } = record;
  return new ApiClient({
    environment: { uuid, name },
    addresses: [...addresses.servers.map((server) => server.api), ...besides],
    addressesVersion: addresses.version,
    url,
    ...login,
    onAddresses: (set) =>
      store.updateEnvironment(name, (seen) =>
        set.version > seen.addresses.version && seen.uuid === uuid ? { ...seen, addresses: set } : null,
      ),
  });
}

/** What was asked for goes on with the present certificate where no next one can be had yet. */
async function renew(store: Store, name: string, client: ApiClient, present: string): Promise<void> {
  try {
    const { renewCertificate } = await import('./renew.js');
    const next = await renewCertificate(client, RENEW_WITHIN_MS);
    await store.renewCredentials(name, next);
    client.useCertificate(next);
  } catch (error) {
    const end = expiresAt(present).toISOString();
    process.emitWarning(`your certificate for ${name} ends at ${end} and could not be renewed: ${reasonOf(error)}`);
  }
}
