import type { Status } from '../api/status.js';
import { type Ask, type Asked, askEach } from '../client/each.js';
import { accessOf } from '../client/session.js';
import type { EnvironmentRecord, Store } from '../store/store.js';

/** Asks each controller of the status itself, with the caller's own login; those without an address yet are left out. */
export async function askControllers<T>(
  store: Store,
  { name, uuid }: EnvironmentRecord,
  { controllers }: Status,
  work: (ask: Ask) => Promise<T>,
): Promise<Asked<T>[]> {
  const access = await accessOf(store, name);
  const servers = controllers.filter(({ api }) => api !== '');
  // Who has a status has been let in with it.
  if (access === null) return [];
  return await askEach({ environment: { uuid, name }, ...access, servers }, work);
}
