import type { MongoClient } from 'mongodb';
import type { Change, Changes } from '../../src/api/changes.js';
import type { Status } from '../../src/api/status.js';
import type { ApiClient } from '../../src/client/client.js';
import { openClient } from '../../src/client/open.js';
import type { Instance } from '../../src/cloud/cloud.js';
import { QuorateError } from '../../src/errors.js';
import { openStore, type Store } from '../../src/store/store.js';
import type { Site } from '../support/sites/site.js';
import type { Whom } from './acts.js';

export const ENVIRONMENT = 'demo';

/** The environment under test, as one sees it who may look everywhere: where it lives, and its status. */
export class Ground {
  readonly site: Site;
  readonly store: Store;
  readonly uuid: string;
  readonly #observer: ApiClient;
  /** What was last seen; when nobody answers, faults go by it. */
  last: Status;

  private constructor(site: Site, store: Store, uuid: string, observer: ApiClient, first: Status) {
    this.site = site;
    this.store = store;
    this.uuid = uuid;
    this.#observer = observer;
    this.last = first;
  }

  static async open(site: Site): Promise<Ground> {
    const store = await openStore(site.home.env);
    const uuid = (await store.readEnvironment(ENVIRONMENT))?.uuid ?? '';
    const observer = await openClient(store, ENVIRONMENT);
    const { body } = await observer.request<Status>('GET', '/v1/status');
    return new Ground(site, store, uuid, observer, body);
  }

  client(): Promise<ApiClient> {
    return openClient(this.store, ENVIRONMENT);
  }

  /** The status now; null when no controller answers. */
  async status(): Promise<Status | null> {
    try {
      this.last = (await this.#observer.request<Status>('GET', '/v1/status', { timeoutMs: 4000 })).body;
      return this.last;
    } catch (error) {
      if (error instanceof QuorateError) return null;
      throw error;
    }
  }

  /** All changes so far, the newest first. */
  async changes(): Promise<readonly Change[]> {
    const path = '/v1/changes?limit=500';
    return (await this.#observer.request<Changes>('GET', path, { timeoutMs: 20_000 })).body.changes;
  }

  async instances(): Promise<readonly Instance[]> {
    return (await this.site.console.list(this.uuid)).filter(({ state }) => state !== 'terminated');
  }

  /** Machines to act on, the one that is meant first; those whose instance is gone are left out. */
  async machines(whom: Whom): Promise<readonly Instance[]> {
    await this.status();
    const instances = await this.instances();
    const { ha, controllers } = this.last;
    const voters = new Set(controllers.filter(({ member }) => member?.vote).map(({ machine }) => machine));
    const is = {
      primary: (machine: string) => machine === ha.primary,
      secondary: (machine: string) => voters.has(machine) && machine !== ha.primary,
      newcomer: (machine: string) => !voters.has(machine),
      any: () => true,
    }[whom.role];
    const wanted = instances.filter(({ tags }) => is(tags.machine));
    const from = wanted.length > 0 ? wanted : instances;
    const first = from[Math.floor(whom.pick * from.length)];
    return first ? [first, ...instances.filter(({ id }) => id !== first.id)] : [];
  }

  /** Those that a fault hits. */
  async reached(whom: Whom, reach: 'one' | 'majority' | 'all'): Promise<readonly Instance[]> {
    const machines = await this.machines(whom);
    if (reach === 'all') return machines;
    const voters = this.last.controllers.filter(({ member }) => member?.vote).map(({ machine }) => machine);
    if (reach === 'one') return machines.slice(0, 1);
    return machines.filter(({ tags }) => voters.includes(tags.machine)).slice(0, Math.floor(voters.length / 2) + 1);
  }

  /** A login to a machine's mongod with its own membership certificate, as somebody with a shell there has. */
  async member(machine: string): Promise<MongoClient> {
    const controller = this.last.controllers.find((each) => each.machine === machine);
    if (!controller) throw new Error(`machine ${machine} is no controller`);
    return await this.site.login(this.uuid, controller, { serverSelectionTimeoutMS: 4000 });
  }

  async close(): Promise<void> {
    await this.#observer.close();
  }
}
