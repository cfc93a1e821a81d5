import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Seed, TemporalConnection } from '../src/boot/wire.js';
import { bootCall, enrolOperator } from '../src/client/enrol.js';
import { openClient } from '../src/client/open.js';
import { QuorateError, reasonOf } from '../src/errors.js';
import { dialTemporal } from '../src/temporal/dial.js';
import { beating } from './beating.js';
import { ADDRESSES } from './cloud.js';
import type { CloudSide, Target } from './cloud-side.js';

/** The same side as the cloud's, and how controllers shall reach Temporal (never an argument: it may hold a key). */
export interface BootSide extends CloudSide {
  readonly temporal: TemporalConnection;
}

export type BootActivities = ReturnType<typeof bootActivities>;

/** What is said to machine 0 while it has no API server, over the connection that was pinned by the mutual proof. */
export function bootActivities({ store, temporal, cloudOf }: BootSide) {
  const machineZero = async ({ name, uuid }: Target['environment']) => {
    const record = await store.readEnvironment(name);
    const server = record?.addresses.servers[0];
    if (!server) throw new QuorateError('no-machine-zero', `Machine 0 of ${name} has no address yet.`);
    const colon = server.api.lastIndexOf(':');
    return { address: server.api.slice(0, colon), port: Number(server.api.slice(colon + 1)), environment: uuid };
  };
  const call = async (environment: Target['environment'], path: Parameters<typeof bootCall>[2], body: object) => {
    const credentials = await store.credentials(environment.name);
    if (credentials === null)
      throw new QuorateError('not-enrolled', `The operator is not enrolled at ${environment.name}.`);
    return await bootCall(await machineZero(environment), credentials, path, body);
  };

  return {
    /** Both sides prove that they know machine 0's token; its CA is pinned in the store, with the operator's certificate. */
    async enrol({ environment, by }: Target & { by: string }): Promise<void> {
      await beating(async () => {
        if ((await store.credentials(environment.name)) !== null) return;
        const token = await store.bootToken(environment.name);
        if (token === null)
          throw new QuorateError('no-boot-token', `The one-time token of ${environment.name} is gone.`);
        const { address, port } = await machineZero(environment);
        const dialled = { address, port, environment: environment.uuid, machine: '0', token, user: by };
        const credentials = await untilListening(() => enrolOperator({ ...dialled, timeoutMs: 5000 }));
        await store.writeCredentials(environment.name, credentials);
      });
    },

    /** @throws QuorateError `temporal-not-reached`, for good: machine 0 does not reach what is reached from here */
    async handOverTemporal({ environment }: Target): Promise<void> {
      await beating(async () => {
        try {
          await call(environment, '/boot/temporal', temporal);
        } catch (error) {
          // Where it answers nobody, it is down: that is waited for.
          if (error instanceof QuorateError && error.code === 'temporal-not-reached')
            await dialTemporal(temporal, DIAL_MS);
          throw error;
        }
      });
      // The certificate has been used: the token has served.
      await store.shredBootToken(environment.name);
    },

    async initiate({ environment, settings }: Target & { settings: Readonly<Record<string, string>> }): Promise<void> {
      await beating(() => call(environment, '/boot/initiate', { settings }));
    },

    async seed(request: SeedRequest): Promise<void> {
      await beating(async () => {
        const { environment, cloud: kind, region, controllers, settings, temporal } = request;
        const cloud = await cloudOf(kind, region);
        const [zones, instanceTypes] = await Promise.all([cloud.zones(), cloud.instanceTypes()]);
        const body: Seed = {
          cloud: kind,
          region,
          zones: [...zones],
          instanceTypes: [...instanceTypes],
          desired: controllers,
          url: cloud.bucket.url(environment.uuid, ADDRESSES),
          temporal,
          settings: { ...settings },
        };
        await call(environment, '/boot/seed', body);
      });
    },

    async serve({ environment }: Target): Promise<void> {
      await beating(() => call(environment, '/boot/serve', {}));
    },

    /** Until machine 0 answers as a controller: its API, with its database behind it. */
    async waitForController({ environment }: Target): Promise<void> {
      await beating(async () => {
        const client = await openClient(store, environment.name);
        try {
          await untilListening(() => client.request('GET', '/v1/status', { timeoutMs: 2000 }));
        } finally {
          client.close();
        }
      });
    },
  };
}

interface SeedRequest extends Target {
  readonly cloud: string;
  readonly region: string;
  readonly controllers: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly temporal: { readonly clusterId: string; readonly namespace: string };
}

const DIAL_MS = 5_000;
const KNOCK_MS = 50;
const LISTENING_WITHIN_MS = 50_000;
/** It is there and says no: knocking again would not change that. */
const REFUSALS: ReadonlySet<string> = new Set(['proof-failed', 'not-allowed', 'bad-request', 'foreign-ca']);

/** A machine that boots refuses connections at first: this is its wait, within one activity. */
async function untilListening<T>(knock: () => Promise<T>): Promise<T> {
  const { cancellationSignal } = Context.current();
  const ends = performance.now() + LISTENING_WITHIN_MS;
  for (;;) {
    try {
      return await knock();
    } catch (error) {
      if (error instanceof QuorateError && REFUSALS.has(error.code)) throw error;
      if (performance.now() > ends)
        throw new QuorateError('not-listening', `It did not answer in time: ${reasonOf(error)}`);
      await sleep(KNOCK_MS, undefined, { signal: cancellationSignal });
    }
  }
}
