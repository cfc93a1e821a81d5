import type { CloudPlace } from '../api/machines.js';
import type { Status } from '../api/status.js';
import type { WhoAmI } from '../api/users.js';
import { ApiClient, type ApiClientOptions } from '../client/client.js';
import { QuorateError } from '../errors.js';
import type { AddressSet, EnvironmentRecord, Store } from '../store/store.js';

/** An environment of which this machine may know nothing yet. */
export interface Place {
  /** UUID */
  readonly uuid: string;
  /** For messages until the environment has said its name. */
  readonly name: string;
  /** host:port of its controllers. */
  readonly addresses: readonly string[];
}

/** A client of an environment that is not in the store. */
export function strangersClient(place: Place, login: Pick<ApiClientOptions, 'tls' | 'token'>): ApiClient {
  const { uuid, name, addresses } = place;
  return new ApiClient({ environment: { uuid, name }, addresses, ...login });
}

/**
 * Writes an environment down as it describes itself, and makes it the current one where there is none. One that is known
 * already stays as it is. Throws `environment-exists` when another one has its name here.
 */
export async function register(store: Store, client: ApiClient): Promise<EnvironmentRecord> {
  const { environment } = (await client.request<WhoAmI>('GET', '/v1/whoami')).body;
  const { name, uuid } = environment;
  const known = await store.readEnvironment(name);
  if (known?.uuid === uuid) return known;
  if (known !== null) {
    throw new QuorateError('environment-exists', `another environment is called ${name} on this machine.`, {
      todo: 'Use a store of its own for this one: set QUORATE_HOME to another directory.',
    });
  }
  const [status, addresses, place] = await Promise.all([
    client.request<Status>('GET', '/v1/status'),
    client.request<AddressSet & { readonly url: string }>('GET', '/v1/addresses'),
    placeOf(client),
  ]);
  const { cloud, temporal } = status.body.environment;
  const { version, servers, url } = addresses.body;
  const record: EnvironmentRecord = {
    name,
    uuid,
    cloud,
    ...place,
    addresses: { version, servers },
    url,
    // Where it listens is for whoever changes controllers to say: TEMPORAL_ADDRESS.
    temporal: { address: '', namespace: temporal.namespace, clusterId: temporal.clusterId },
    createdAt: new Date().toISOString(),
  };
  await store.writeEnvironment(record);
  if ((await store.current()) === null) await store.setCurrent(name);
  return record;
}

/** Where on its cloud it lies; a controller of an older version does not say, and the SDK's own region is taken then. */
async function placeOf(client: ApiClient): Promise<Pick<EnvironmentRecord, 'region' | 'cloudSettings'>> {
  try {
    const { region, settings } = (await client.request<CloudPlace>('GET', '/v1/cloud')).body;
    return { region, ...(Object.keys(settings).length === 0 ? {} : { cloudSettings: settings }) };
  } catch (error) {
    if (error instanceof QuorateError && error.code === 'not-found') return { region: '' };
    throw error;
  }
}
