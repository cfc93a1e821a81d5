import { Context, log } from '@temporalio/activity';
import type { Status } from '../src/api/status.js';
import type { UserData } from '../src/boot/user-data.js';
import type { ApiClient } from '../src/client/client.js';
import type { Cloud, Instance, InstanceState } from '../src/cloud/cloud.js';
import { QuorateError, reasonOf } from '../src/errors.js';
import type { InstanceSeen, MachineId } from '../src/membership/types.js';
import { PARTS_IN_BUCKET } from '../src/pack/names.js';
import type { InstanceRecord } from '../src/state/instance-record.js';
import type { AddressSet } from '../src/store/store.js';
import { askControllers, readMachine, readMachineIfThere } from './asking.js';
import { beating } from './beating.js';
import type { CloudSide, Target } from './cloud-side.js';
import { checkNoMajority, checkNoOwner, type Ender, endsWithoutMajority, mayEnd } from './endings.js';
import { onePerMachine } from './instances.js';
import { untilListening } from './listening.js';
import { seenAs } from './observed.js';
import { spentObjects } from './upkeep.js';

/** An instance as documents keep it; nothing of it is secret. */
export interface StartedInstance extends InstanceRecord {
  readonly zone: string;
}

/** The published address set, in the environment's bucket. */
export const ADDRESSES = 'addresses.json';

export type CloudActivities = ReturnType<typeof cloudActivities>;

/** Starting and ending instances: the engine's worker, and controllers where machines may ask the cloud themselves. */
export function cloudActivities(side: CloudSide) {
  const withClient = <T>(environment: Target['environment'], use: (client: ApiClient) => Promise<T>): Promise<T> =>
    askControllers(side, environment, use);

  /** How the set is by what a controller says; null when none could be asked. */
  const setSeen = async (environment: Target['environment']): Promise<Status['ha'] | null> => {
    try {
      return (await withClient(environment, (client) => client.request<Status>('GET', '/v1/status'))).body.ha;
    } catch (error) {
      log.warn('no controller could be asked whether there is a majority', { reason: reasonOf(error) });
      return null;
    }
  };

  return {
    /** Looks for the machine's nonce first. User data comes from a controller, asked with the operator's certificate. */
    async startInstance({ environment, machine }: Target & { machine: MachineId }): Promise<StartedInstance> {
      return await beating(async () => {
        const cloud = await side.cloudFor(environment);
        const { document, userData } = await withClient(environment, async (client) => {
          const document = await readMachine(client, machine);
          if (document.life !== 'alive') {
            throw new QuorateError(
              'machine-not-alive',
              `Machine ${machine} is ${document.life}: nothing is started for it.`,
            );
          }
          const path = `/v1/machines/${encodeURIComponent(machine)}/user-data`;
          return { document, userData: (await client.request<UserData>('GET', path)).body };
        });
        const { zone, instanceType } = document;
        const tags = { environment: environment.uuid, machine, nonce: userData.nonce };
        const type = instanceType === '' ? {} : { instanceType };
        try {
          return started(await cloud.start({ tags, userData: JSON.stringify(userData), zone, ...type }));
        } catch (error) {
          throw refusedStart(error);
        }
      });
    },

    /** The only place where an instance is ended on purpose, with `terminateAll`; who may ask is in `endings.ts`. */
    async terminateInstance(request: Target & EndRequest): Promise<InstanceRecord> {
      return await beating(async () => {
        const { environment, machine, by } = request;
        const cloud = await side.cloudFor(environment);
        if (endsWithoutMajority(by)) checkNoMajority(by, await setSeen(environment));
        else if (by === 'leftovers') {
          checkNoOwner(request, await withClient(environment, (client) => readMachineIfThere(client, machine)));
        } else {
          const { life } = await withClient(environment, (client) => readMachine(client, machine));
          if (!mayEnd(by, life)) {
            throw new QuorateError('may-not-end', `Machine ${machine} is ${life}: ${by} may not end its instance.`);
          }
        }
        return started(await endOne(cloud, environment.uuid, request));
      });
    },

    /** Every instance that carries the environment's tag, terminated ones included. */
    async listInstances({ environment }: Target): Promise<readonly ListedInstance[]> {
      return await beating(async () => {
        const cloud = await side.cloudFor(environment);
        const instances = await cloud.list(environment.uuid);
        return instances.map(({ id, state, tags: { machine, nonce } }) => ({ id, state, machine, nonce }));
      });
    },

    /** What the cloud says of each machine's instance right now. */
    async seeInstances({ environment }: Target): Promise<Record<MachineId, InstanceSeen>> {
      const cloud = await side.cloudFor(environment);
      const instances = await cloud.list(environment.uuid);
      return Object.fromEntries(onePerMachine(instances).map(({ tags, state }) => [tags.machine, seenAs(state)]));
    },

    /**
     * Copies the published address set into the environment's bucket; an old one never overwrites a newer one. Answers the
     * version that the bucket has by now, at least.
     */
    async writeAddresses({ environment }: Target): Promise<{ version: number }> {
      return await beating(async () => {
        const cloud = await side.cloudFor(environment);
        const { body } = await withClient(environment, (client) => client.request<AddressSet>('GET', '/v1/addresses'));
        const { version, servers } = body;
        const set: AddressSet = { version, servers };
        await cloud.bucket.put(environment.uuid, ADDRESSES, set);
        return { version };
      });
    },

    /** Removes from the bucket what nobody reads. */
    async tidyBucket({ environment }: Target): Promise<{ removed: readonly string[] }> {
      return await beating(async () => {
        const { bucket } = await side.cloudFor(environment);
        const removed = spentObjects(await bucket.list(environment.uuid), [ADDRESSES, PARTS_IN_BUCKET]);
        for (const name of removed) await bucket.remove(environment.uuid, name);
        return { removed };
      });
    },

    /** Until machine 0 answers as a controller: its API, with its database behind it. */
    async waitForController({ environment }: Target): Promise<void> {
      await beating(() =>
        withClient(environment, (client) =>
          untilListening(() => client.request('GET', '/v1/status', { timeoutMs: 2000 })),
        ),
      );
    },

    /** Terminates what carries the environment's tag, and says what it still found. */
    async terminateAll({ environment }: Target) {
      const context = Context.current();
      // A controller that does this ends itself with the others: whoever goes on counts what it had found.
      const found = new Set((context.info.heartbeatDetails as readonly string[] | undefined) ?? []);
      const work = async () => {
        const cloud = await side.cloudFor(environment);
        const left = (await cloud.list(environment.uuid)).filter(({ state }) => state !== 'terminated');
        for (const { id } of left) found.add(id);
        context.heartbeat([...found]);
        await Promise.all(left.map(({ id }) => cloud.terminate(id)));
        return { instances: [...found] };
      };
      return await beating(work, { details: () => [...found] });
    },

    /** The bucket, or the files of a local cloud. */
    async removeEnvironment({ environment }: Target): Promise<void> {
      await beating(async () => await (await side.cloudFor(environment)).removeEnvironment(environment.uuid));
    },
  };
}

export interface ListedInstance {
  readonly id: string;
  readonly state: InstanceState;
  readonly machine: MachineId;
  readonly nonce: string;
}

export interface EndRequest {
  readonly machine: MachineId;
  /** Instance ID and nonce as the document has them; null where they are found by the machine's tag. */
  readonly instance: string | null;
  readonly nonce: string | null;
  readonly by: Ender;
}

async function endOne(cloud: Cloud, environment: string, { machine, instance, nonce }: EndRequest): Promise<Instance> {
  const found = (await cloud.list(environment)).find(
    ({ id, tags }) =>
      tags.machine === machine && (instance === null || id === instance) && (nonce === null || tags.nonce === nonce),
  );
  if (found) return found.state === 'terminated' ? found : await cloud.terminate(found.id);
  // The cloud shows terminated instances for a while only: what it does not know any more is gone.
  const tags = { environment, machine, nonce: nonce ?? '' };
  const ports = { api: 0, mongo: 0 };
  return { id: instance ?? '', state: 'terminated', tags, zone: '', address: '', ports, cause: '', startedAt: '' };
}

/** What is written down of an instance. Pure. */
export function started({ id, address, publicAddress = '', ports, state, zone }: Instance): StartedInstance {
  const outside = publicAddress === '' ? {} : { publicAddress };
  return { id, address, ...outside, ports: { api: ports.api, mongo: ports.mongo }, state, zone };
}

/** That a zone is full is for who asked to act on; everything else is for people, and tried again after a pause. */
function refusedStart(error: unknown): QuorateError {
  if (!(error instanceof QuorateError)) return new QuorateError('not-started', reasonOf(error), { cause: error });
  const { code, message, todo } = error;
  return code === 'zone-full' ? error : new QuorateError('not-started', message, { todo, cause: error });
}
