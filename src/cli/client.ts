import type { ApiClient } from '../client/client.js';
import { openClient } from '../client/open.js';
import { type EnvironmentRecord, openStore, type Store } from '../store/store.js';
import { chooseEnvironment } from './environment.js';

/** The operator's store, the chosen environment's record, and a client of its API. Close the client when done. */
export async function openEnvironment(
  asked: string | undefined,
): Promise<{ store: Store; record: EnvironmentRecord; client: ApiClient }> {
  const store = await openStore();
  const record = await chooseEnvironment(store, asked);
  return { store, record, client: await openClient(store, record.name) };
}
