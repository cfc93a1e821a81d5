import { QuorateError, reasonOf } from '../errors.js';
import { expiresAt, isDue } from '../pki/certificate.js';
import { isIssuedBy, issuerIn } from '../pki/trust.js';
import type { EnvironmentRecord, Store } from '../store/store.js';
import { dialledOf, formerAfter } from './address-book.js';
import { ApiClient, type ApiClientOptions } from './client.js';

/** While the CA is rotated a controller may take a moment to come to the one that issues. */
const RENEW_WITHIN_MS = 3000;

/**
 * A client for an environment of the operator's store; refreshed address sets are written back, and so are CAs that are
 * trusted since and the operator's next certificate, when the present one is near its end or of the CA before. `besides`: host:port of API servers that the store may not know.
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
  if (isOutdated(tls)) {
    const failure = await renew(store, name, client);
    const end = expiresAt(tls.certificate).toISOString();
    // What was asked for goes on with the present certificate.
    if (failure !== null)
      process.emitWarning(`your certificate for ${name} ends at ${end} and could not be renewed: ${failure}`);
  }
  return client;
}

/** A client for a record, with this login. */
export function clientOf(
  store: Store,
  record: EnvironmentRecord,
  login: Pick<ApiClientOptions, 'tls' | 'token'>,
  besides: readonly string[] = [],
): ApiClient {
  const { name, uuid, url, addresses, formerAddresses = [] } = record;
  return new ApiClient({
    environment: { uuid, name },
    addresses: [...dialledOf(addresses), ...besides],
    addressesVersion: addresses.version,
    formerAddresses,
    url,
    ...login,
    authority: {
      version: record.authorityVersion ?? 0,
      keep: async ({ version, trusted }, client) => {
        await store.writeAuthority(name, uuid, version, trusted);
        const { certificate, key } = login.tls;
        if (login.token !== undefined || certificate === undefined || key === undefined) return true;
        const own = await store.credentials(name);
        if (own === null) return true;
        // Another command may have been first.
        if (isOutdated(own)) return (await renew(store, name, client)) === null;
        client.useCertificate(own);
        return true;
      },
    },
    onAddresses: (set) =>
      store.updateEnvironment(name, (seen) =>
        set.version > seen.addresses.version && seen.uuid === uuid
          ? {
              ...seen,
              addresses: set,
              formerAddresses: formerAfter(seen.formerAddresses ?? [], dialledOf(seen.addresses), dialledOf(set)),
            }
          : null,
      ),
  });
}

/** The next certificate, in the store and for this client; why not, where none can be had yet. */
async function renew(store: Store, name: string, client: ApiClient): Promise<string | null> {
  try {
    const { renewCertificate } = await import('./renew.js');
    const next = await renewCertificate(client, RENEW_WITHIN_MS);
    await store.renewCredentials(name, next);
    client.useCertificate(next);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Near its end, or issued by another CA than the one that issues now. */
function isOutdated({ ca, certificate }: { readonly ca: string; readonly certificate: string }): boolean {
  return isDue(certificate) || !isIssuedBy(certificate, issuerIn(ca));
}
