import type { ApiClient } from '../client/client.js';
import { openPersonsClient } from '../client/session.js';
import { type EnvironmentRecord, openStore, type Store } from '../store/store.js';
import { chooseEnvironment } from './environment.js';

/**
 * The operator's store, the chosen environment's record, and a client of its API, as whoever is logged in, else with the
 * certificate. Close the client when done.
 */
export async function openEnvironment(
  asked: string | undefined,
): Promise<{ store: Store; record: EnvironmentRecord; client: ApiClient }> {
  const store = await openStore();
  const record = await chooseEnvironment(store, asked);
  return { store, record, client: await openPersonsClient(store, record) };
}
