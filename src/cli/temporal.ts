import { userInfo } from 'node:os';
import { type Engine, ensureEngine } from '../engine/engine.js';
import { QuorateError } from '../errors.js';
import { type EnvironmentRecord, openStore, type Store } from '../store/store.js';
import { connectTemporal, type Temporal } from '../temporal/connect.js';
import { environmentKey } from '../temporal/names.js';
import type { ChangeInput } from '../temporal/progress.js';
import { chooseEnvironment } from './environment.js';
import { telling } from './servers.js';

/** The store, the environment, and the Temporal that its changes run in. Close the connection when done. */
export async function openTemporal(
  asked: string | undefined,
): Promise<{ store: Store; record: EnvironmentRecord; engine: Engine; temporal: Temporal }> {
  const store = await openStore();
  const record = await chooseEnvironment(store, asked);
  const engine = await ensureEngine(store.dirs, telling);
  refuseOther(record, engine);
  return { store, record, engine, temporal: await connectEngine(engine) };
}

/** A Temporal that the environment does not belong to would be a second lock. */
export function refuseOther({ name, temporal }: EnvironmentRecord, engine: Engine): void {
  if (isItsOwn(temporal, engine)) return;
  const known = `${temporal.address || `cluster ${temporal.clusterId}`}, namespace ${temporal.namespace}`;
  const why =
    temporal.address === engine.address && temporal.namespace === engine.namespace
      ? `the Temporal at ${engine.address} is another one than before: its database was lost`
      : `it belongs to the Temporal at ${known}, and this one is at ${engine.address}, namespace ${engine.namespace}`;
  throw new QuorateError('other-temporal', `changes of ${name} cannot run here: ${why}.`, {
    todo: `Use its own again, or move it here with: quorate engine adopt -e ${name}`,
  });
}

/** Whether an environment's changes run in this Temporal. */
export function isItsOwn(
  { address, namespace, clusterId }: EnvironmentRecord['temporal'],
  engine: Pick<Engine, 'address' | 'namespace' | 'clusterId'>,
): boolean {
  return (
    // Who came by logging in at a controller's address knows only which cluster it is.
    (address === '' || address === engine.address) &&
    namespace === engine.namespace &&
    (clusterId ?? engine.clusterId) === engine.clusterId
  );
}

export function connectEngine(engine: Engine): Promise<Temporal> {
  return connectTemporal({ target: engine.connection, uiUrl: engine.uiUrl });
}

/** Where search attributes have to be registered by somebody else. Everything works without. */
export function noteSearchAttributes({ searchAttributesTodo }: Engine): void {
  if (searchAttributesTodo === null) return;
  process.stderr.write(
    `note: this client may not register search attributes in Temporal, so changes are not found by them. Whoever may: ${searchAttributesTodo}\n`,
  );
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
