import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TemporalPlace } from '../api/temporal.js';
import type { ApiClient } from '../client/client.js';
import { openClient } from '../client/open.js';
import { apiAddresses } from '../cloud/dialled.js';
import type { Engine } from '../engine/engine.js';
import { QuorateError } from '../errors.js';
import type { EnvironmentRecord, Store } from '../store/store.js';
import type { Temporal } from '../temporal/connect.js';
import { environmentKey } from '../temporal/names.js';
import { surveyMembers } from '../temporal/planning.js';
import { ensureSingletons } from '../temporal/singletons.js';
import { cloudOf } from './open-cloud.js';

/** Controllers change over as soon as they see the new epoch; on a busy machine their workers take their time. */
const SERVED_WITHIN_MS = 120_000;

export interface Adoption {
  readonly epoch: number;
  /** It ran in this very Temporal before; the controllers got the connection anew. */
  readonly already: boolean;
}

/**
 * Moves an environment to this Temporal. The environment's document decides: one transaction, fenced by the epoch that was
 * seen, needs a majority and refuses the workers of the other Temporal from then on. Everything after it can be done
 * again, and is when the command is typed again.
 */
export async function adoptEnvironment(
  store: Store,
  record: EnvironmentRecord,
  engine: Engine,
  temporal: Temporal,
): Promise<Adoption> {
  const { name, uuid } = record;
  const { clusterId, namespace, address, connection } = engine;
  const client = await findControllers(store, record);
  try {
    const seen = (await client.request<TemporalPlace>('GET', '/v1/temporal')).body;
    const body = { epoch: seen.epoch, clusterId, namespace, connection };
    const idempotencyKey = randomUUID();
    const { epoch } = (await client.request<TemporalPlace>('POST', '/v1/temporal', { body, idempotencyKey })).body;
    await store.updateEnvironment(name, (now) =>
      now.uuid === uuid ? { ...now, temporal: { address, namespace, clusterId } } : null,
    );
    await ensureSingletons(temporal.client, { name, uuid });
    await untilServed(temporal, record);
    return { epoch, already: seen.clusterId === clusterId && seen.namespace === namespace };
  } catch (error) {
    if (!(error instanceof QuorateError) || error.code !== 'no-quorum') throw error;
    throw new QuorateError('no-quorum', `${name} has no majority, so nothing can be written that would move it.`, {
      todo: 'Start a controller that is stopped: quorate cloud list. Then type this again.',
      cause: error,
    });
  } finally {
    client.close();
  }
}

/** By the addresses of the store and those published; where nobody answers there, by the tags of the cloud's instances. */
async function findControllers(store: Store, record: EnvironmentRecord): Promise<ApiClient> {
  const { name, uuid } = record;
  const client = await openClient(store, name);
  try {
    await client.request('GET', '/v1/ping');
    return client;
  } catch (error) {
    client.close();
    if (!(error instanceof QuorateError) || error.code !== 'no-controller') throw error;
    const instances = await (await cloudOf(store, record)).list(uuid);
    return await openClient(store, name, apiAddresses(instances));
  }
}

/** Until a controller's worker carries out what is asked through this Temporal. */
async function untilServed(temporal: Temporal, { name, uuid }: EnvironmentRecord): Promise<void> {
  const ends = performance.now() + SERVED_WITHIN_MS;
  for (;;) {
    try {
      await surveyMembers(temporal, environmentKey(name, uuid));
      return;
    } catch (error) {
      if (!(error instanceof QuorateError) || error.code !== 'no-plan') throw error;
      if (performance.now() > ends) {
        throw new QuorateError('not-served', `${name} is moved, and no worker of a controller has come to it yet.`, {
          todo: 'See whether they reach this Temporal: quorate status -e NAME, then type this again.'.replace(
            'NAME',
            name,
          ),
          cause: error,
        });
      }
      await sleep(500);
    }
  }
}
