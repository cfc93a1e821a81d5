import { setTimeout as sleep } from 'node:timers/promises';
import { Context, log } from '@temporalio/activity';
import type { UserData } from '../src/boot/user-data.js';
import type { Seed } from '../src/boot/wire.js';
import { dialledOf } from '../src/client/address-book.js';
import { bootCall, enrolOperator } from '../src/client/enrol.js';
import { hostAndPort } from '../src/client/host-port.js';
import { reached } from '../src/client/reach.js';
import type { BootSeen, Cloud, Instance } from '../src/cloud/cloud.js';
import { QuorateError, reasonOf } from '../src/errors.js';
import { type Constraints, parseConstraints } from '../src/machines/constraints.js';
import { place } from '../src/machines/offer.js';
import { packageVersion } from '../src/package.js';
import { serverAt } from '../src/state/addresses.js';
import { placed } from '../src/state/controller-constraints.js';
import type { Store } from '../src/store/store.js';
import { dialTemporal } from '../src/temporal/dial.js';
import { beating } from './beating.js';
import { ADDRESSES, type StartedInstance, started } from './cloud.js';
import type { OperatorSide, Target } from './cloud-side.js';
import { untilListening } from './listening.js';

/** Machine 0's nonce is fixed with the environment: whoever bootstraps again finds the same instance. */
export const firstNonce = (uuid: string): string => `${uuid}-0`;

const REACHED_MS = 3000;
/** Between two knocks at a machine that boots. */
const KNOCK_MS = 500;
/** A console is read so often: each look is a call that the cloud counts. */
const CONSOLE_MS = 15_000;
const DIAL_MS = 5_000;

/** What is known of machine 0's boot. */
export interface BootHeard extends Pick<BootSeen, 'step' | 'fault'> {
  /** It answers. */
  readonly answers: boolean;
}

export type BootActivities = ReturnType<typeof bootActivities>;

/**
 * How machine 0 comes to be, from an operator's machine: its one-time token lies there. What is said to it while it has no
 * API server goes over the connection that was pinned by the mutual proof.
 */
export function bootActivities(side: OperatorSide) {
  const { store, temporal } = side;
  const machineZero = async ({ name, uuid }: Target['environment']) => {
    const record = await store.readEnvironment(name);
    const [first, ...others] = record === null ? [] : dialledOf(record.addresses);
    if (first === undefined) throw new QuorateError('no-machine-zero', `Machine 0 of ${name} has no address yet.`);
    // From inside of its network one address leads to it, from outside the other.
    const server = others.length === 0 ? first : ((await reached([first, ...others], uuid, REACHED_MS)) ?? first);
    const { host, port } = hostAndPort(server);
    return { address: host, port, environment: uuid };
  };
  const call = async (environment: Target['environment'], path: Parameters<typeof bootCall>[2], body: object) => {
    const credentials = await store.credentials(environment.name);
    if (credentials === null)
      throw new QuorateError('not-enrolled', `The operator is not enrolled at ${environment.name}.`);
    return await bootCall(await machineZero(environment), credentials, path, body);
  };

  return {
    /** Puts what machines boot with where they get it; that is kept in the store, and becomes part of the first documents. */
    async prepareCloud({ environment }: Target): Promise<void> {
      await beating(async () => {
        const cloud = await side.cloudFor(environment);
        const preparing = { toolchain: store.dirs.toolchain, onProgress: (line: string) => log.info(line) };
        const cloudSettings = await cloud.prepare?.(environment.uuid, preparing);
        if (cloudSettings === undefined) return;
        await store.updateEnvironment(environment.name, (record) => ({ ...record, cloudSettings }));
      });
    },

    /** Machine 0, whose one-time token comes from the operator's store. The store learns where it is. */
    async startMachineZero(request: Target & { constraints?: string }): Promise<StartedInstance> {
      const { environment, constraints = '' } = request;
      return await beating(async () => {
        const cloud = await side.cloudFor(environment);
        const nonce = firstNonce(environment.uuid);
        const there = await cloud.findByNonce(environment.uuid, nonce);
        const instance = there ?? (await startFirst(store, cloud, environment, nonce, parseConstraints([constraints])));
        await rememberMachineZero(store, cloud, environment, instance);
        return started(instance);
      });
    },

    /**
     * Returns once machine 0 answers, as soon as its console tells anything else than `known`, or the same after `forMs`.
     * The store learns its public address, which a cloud gives a moment after the start.
     */
    async followBoot({ environment, known, forMs }: Target & { known: BootHeard; forMs: number }): Promise<BootHeard> {
      return await beating(async () => {
        const { cancellationSignal: signal } = Context.current();
        const cloud = await side.cloudFor(environment);
        const ends = performance.now() + forMs;
        for (let lookAt = 0; ; ) {
          if (performance.now() >= lookAt) {
            const heard = await listenTo(store, cloud, environment);
            if (heard.step !== known.step || heard.fault !== known.fault) return heard;
            lookAt = performance.now() + CONSOLE_MS;
          }
          const record = await store.readEnvironment(environment.name);
          const addresses = record === null ? [] : dialledOf(record.addresses);
          const answers = (await reached(addresses, environment.uuid, REACHED_MS)) !== null;
          if (answers || performance.now() >= ends) return { ...known, answers };
          await sleep(KNOCK_MS, undefined, { signal });
        }
      });
    },

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
        const [record, cloud] = await Promise.all([
          store.readEnvironment(environment.name),
          side.cloudFor(environment),
        ]);
        const [zones, instanceTypes] = await Promise.all([cloud.zones(), cloud.instanceTypes()]);
        const { cloudSettings, addresses } = record ?? {};
        const publicAddress = addresses?.servers[0]?.public?.replace(/:\d+$/, '');
        const body: Seed = {
          cloud: kind,
          region,
          ...(cloudSettings === undefined ? {} : { cloudSettings: { ...cloudSettings } }),
          ...(publicAddress === undefined ? {} : { publicAddress }),
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
  };
}

interface SeedRequest extends Target {
  readonly cloud: string;
  readonly region: string;
  readonly controllers: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly temporal: { readonly clusterId: string; readonly namespace: string };
}

/** Until it publishes its addresses itself the store is the only one to know them. */
async function rememberMachineZero(
  store: Store,
  cloud: Cloud,
  { name, uuid }: Target['environment'],
  instance: Instance,
): Promise<void> {
  await store.updateEnvironment(name, (record) =>
    record.addresses.version === 0
      ? {
          ...record,
          addresses: { version: 0, servers: [serverAt('0', instance)] },
          url: cloud.bucket.url(uuid, ADDRESSES),
        }
      : null,
  );
}

/** What the cloud and the console say of machine 0. That the console cannot be read now is no fault of the machine's. */
async function listenTo(store: Store, cloud: Cloud, environment: Target['environment']): Promise<BootHeard> {
  const instance = await cloud.findByNonce(environment.uuid, firstNonce(environment.uuid));
  if (instance === null || instance.state === 'terminated') {
    throw new QuorateError('machine-zero-ended', `The instance of machine 0 of ${environment.name} has ended.`);
  }
  await rememberMachineZero(store, cloud, environment, instance);
  try {
    const { step = '', fault = '' } = (await cloud.boot?.(instance.id)) ?? {};
    return { answers: false, step, fault };
  } catch (error) {
    return { answers: false, step: '', fault: `Its console cannot be read: ${reasonOf(error)}` };
  }
}

async function startFirst(
  store: Store,
  cloud: Cloud,
  environment: Target['environment'],
  nonce: string,
  constraints: Constraints,
): Promise<Instance> {
  const token = await store.bootToken(environment.name);
  if (token === null) {
    throw new QuorateError('no-boot-token', `Machine 0 of ${environment.name} is gone, and so is its one-time token.`, {
      todo: `Remove what is left with quorate destroy-environment ${environment.name}, and bootstrap again.`,
    });
  }
  const userData: UserData = {
    quorate: 1,
    environment: { name: environment.name, uuid: environment.uuid },
    machine: '0',
    nonce,
    addresses: [],
    url: '',
    ca: '',
    token,
    install: { source: 'local', version: packageVersion() },
  };
  const [zones, types] = await Promise.all([cloud.zones(), cloud.instanceTypes()]);
  const offer = { zones, types };
  const [zone = ''] = place(constraints, offer).zones;
  const { constraints: _, ...type } = placed(constraints, offer);
  const tags = { environment: environment.uuid, machine: '0', nonce };
  return await cloud.start({ tags, userData: JSON.stringify(userData), zone, ...type });
}
