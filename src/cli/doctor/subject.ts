import type { Changes } from '../../api/changes.js';
import type { Machines } from '../../api/machines.js';
import type { Reach } from '../../api/reach.js';
import type { Status } from '../../api/status.js';
import type { ApiClient } from '../../client/client.js';
import type { Asked } from '../../client/each.js';
import type { Cloud } from '../../cloud/cloud.js';
import { QuorateError } from '../../errors.js';
import type { Credentials, EnvironmentRecord, Store } from '../../store/store.js';
import type { Temporal } from '../../temporal/connect.js';
import { environmentKey } from '../../temporal/names.js';
import { askControllers } from '../ask-controllers.js';
import { cloudOf } from '../open-cloud.js';
import { type ClockReading, readClock } from './clocks.js';

/** What one controller said itself. */
export interface Answer {
  readonly reach: Reach;
  readonly clock: ClockReading;
}

const STATUS_MS = 8000;
const TEMPORAL_MS = 3000;
const MOST_CHANGES = 200;

/** One environment that is looked at: whatever several checks ask for is asked once. Nothing is started for it. */
export class Subject {
  readonly key: string;
  #temporal: Temporal | null = null;

  constructor(
    readonly store: Store,
    readonly record: EnvironmentRecord,
    readonly credentials: Credentials,
    readonly client: ApiClient,
  ) {
    this.key = environmentKey(record.name, record.uuid);
  }

  readonly status = once(async () => await this.#get<Status>('/v1/status'));
  readonly machines = once(async () => (await this.#get<Machines>('/v1/machines')).machines);

  /** Each controller, asked itself. */
  readonly answers = once(
    async (): Promise<Asked<Answer>[]> =>
      await askControllers(this.store, this.record, await this.status(), async (ask) => {
        // The clock first: what takes longer would make its connection busy.
        const clock = await readClock(ask);
        return { clock, reach: await ask<Reach>('/v1/reach') };
      }),
  );

  /** The Temporal of this environment and no other. */
  readonly temporal = once(async (): Promise<Temporal> => {
    const { engineConnection } = await import('../../engine/engine.js');
    const { connectTemporal } = await import('../../temporal/connect.js');
    const { connection, uiUrl } = await engineConnection(this.store.dirs);
    const temporal = await connectTemporal({ target: connection, uiUrl, timeoutMs: TEMPORAL_MS });
    this.#temporal = temporal;
    const { clusterId, namespace } = (await this.status()).environment.temporal;
    if (clusterId === temporal.clusterId && namespace === temporal.namespace) return temporal;
    throw new QuorateError(
      'other-temporal',
      `the Temporal at ${temporal.address} (${temporal.namespace}) is not the one that ${this.record.name} belongs to`,
      { todo: 'Unset or correct TEMPORAL_ADDRESS and the Temporal profile of this shell.' },
    );
  });

  async runningChanges(): Promise<Changes['changes']> {
    const { changes } = await this.#get<Changes>(`/v1/changes?limit=${MOST_CHANGES}`);
    return changes.filter(({ state }) => state === 'running');
  }

  async cloud(): Promise<Cloud> {
    return await cloudOf(this.store, this.record);
  }

  async close(): Promise<void> {
    await Promise.all([this.client.close(), this.#temporal?.connection.close()]);
  }

  async #get<T>(path: string): Promise<T> {
    return (await this.client.request<T>('GET', path, { timeoutMs: STATUS_MS })).body;
  }
}

/** Asked at the first call, the same answer (or failure) ever after. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | null = null;
  return () => {
    answer ??= ask();
    return answer;
  };
}
