import { userInfo } from 'node:os';
import { type Engine, ensureEngine } from '../engine/engine.js';
import { type EnvironmentRecord, openStore, type Store } from '../store/store.js';
import { connectTemporal, type Temporal } from '../temporal/connect.js';
import { environmentKey } from '../temporal/names.js';
import type { ChangeInput } from '../temporal/progress.js';
import { chooseEnvironment } from './environment.js';

/** The store, the environment, and the Temporal that its changes run in. Close the connection when done. */
export async function openTemporal(
  asked: string | undefined,
): Promise<{ store: Store; record: EnvironmentRecord; engine: Engine; temporal: Temporal }> {
  const store = await openStore();
  const record = await chooseEnvironment(store, asked);
  const engine = await ensureEngine(store.dirs);
  return { store, record, engine, temporal: await connectEngine(engine) };
}

export function connectEngine(engine: Engine): Promise<Temporal> {
  return connectTemporal({ target: engine.connection, uiUrl: engine.uiUrl });
}

/** What every change of an environment is started with. */
export function changeInput(record: EnvironmentRecord, engine: Engine): ChangeInput {
  const { name, uuid } = record;
  return {
    environment: { name, uuid },
    key: environmentKey(name, uuid),
    by: userInfo().username,
    ui: engine.uiUrl ?? '',
    searchable: engine.searchAttributesTodo === null,
  };
}
