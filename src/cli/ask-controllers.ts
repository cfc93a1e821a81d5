import type { Status } from '../api/status.js';
import { type Ask, type Asked, askEach } from '../client/each.js';
import type { EnvironmentRecord, Store } from '../store/store.js';

/** Asks each controller of the status itself, with the operator's certificate; those without an address yet are left out. */
export async function askControllers<T>(
  store: Store,
  { name, uuid }: EnvironmentRecord,
  { controllers }: Status,
  work: (ask: Ask) => Promise<T>,
): Promise<Asked<T>[]> {
  const tls = await store.credentials(name);
  const servers = controllers.flatMap(({ machine, api }) => (api === '' ? [] : [{ machine, api }]));
  // Who has a status has been let in with it.
  if (tls === null) return [];
  return await askEach({ environment: { uuid, name }, tls, servers }, work);
}
