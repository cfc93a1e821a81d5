import { randomBytes } from 'node:crypto';
import type { Status } from '../../src/api/status.js';
import type { ApiClient } from '../../src/client/client.js';
import { openClient } from '../../src/client/open.js';
import { SteadyWriter } from '../../src/client/steady-writer.js';
import { openLocalCloud } from '../../src/cloud/local/open.js';
import { engineStatus } from '../../src/engine/engine.js';
import { signal } from '../../src/process.js';
import { openStore, type Store } from '../../src/store/store.js';
import { Home, until } from './home.js';

/** Between two writes of the client that writes beside a test, so that it leaves the processors to what is tested. */
export const WRITER_PAUSE_MS = 100;
/** Between two looks at the status, each of which costs all controllers something. */
export const LOOK_MS = 200;

/** A bootstrapped environment in a home of its own, with a client that writes all the time. */
export class TestEnvironment {
  readonly home: Home;
  readonly store: Store;
  readonly client: ApiClient;
  readonly writer: SteadyWriter;

  readonly #region: string;

  private constructor(home: Home, store: Store, client: ApiClient, region: string) {
    this.home = home;
    this.#region = region;
    this.store = store;
    this.client = client;
    this.writer = new SteadyWriter(client, `test-${randomBytes(3).toString('hex')}`);
  }

  /**
   * @param config settings it begins with, `key=value` each
   * @param region of the local cloud
   */
  static async bootstrap(
    controllers: 1 | 3 | 5 = 1,
    config: readonly string[] = [],
    region: '' | 'namespace' = '',
  ): Promise<TestEnvironment> {
    const home = new Home();
    try {
      return await TestEnvironment.at(home, region === '' ? 'local' : `local/${region}`, controllers, config);
    } catch (error) {
      await home.close();
      throw error;
    }
  }

  /** The same by an operator who is there, on a cloud as `bootstrap` names it. */
  static async at(
    home: Home,
    cloud: string,
    controllers: 1 | 3 | 5 = 1,
    config: readonly string[] = [],
  ): Promise<TestEnvironment> {
    const settings = config.flatMap((setting) => ['--config', setting]);
    await home.ok('bootstrap', cloud, 'demo', '-n', String(controllers), ...settings);
    const store = await openStore(home.env);
    const [, region = ''] = cloud.split('/');
    const environment = new TestEnvironment(home, store, await openClient(store, 'demo'), region);
    environment.writer.start(WRITER_PAUSE_MS);
    return environment;
  }

  /** The local one. */
  get cloud() {
    return openLocalCloud(this.store.dirs.localCloud, this.#region);
  }

  async status(): Promise<Status> {
    return (await this.client.request<Status>('GET', '/v1/status')).body;
  }

  /** Waits until the status is as asked for. */
  statusWhen(what: string, seen: (status: Status) => boolean, seconds = 60): Promise<Status> {
    return until(
      what,
      async () => {
        const status = await this.status();
        return seen(status) ? status : null;
      },
      seconds,
      LOOK_MS,
    );
  }

  /** Waits until so many vote, all of them well. */
  whole(controllers: number, seconds = 60): Promise<Status> {
    return this.statusWhen(
      `${controllers} healthy voters`,
      ({ ha }) => ha.voters === controllers && ha.healthyVoters === controllers && ha.primary !== null,
      seconds,
    );
  }

  /** Waits until three vote, all of them well, none of them this machine, and no change runs. */
  replaced(machine: string, seconds = 60): Promise<Status> {
    return this.statusWhen(
      `another controller in the place of machine ${machine}`,
      ({ ha, change, controllers }) =>
        change === null &&
        ha.voters === 3 &&
        ha.healthyVoters === 3 &&
        controllers.length === 3 &&
        controllers.every((controller) => controller.machine !== machine),
      seconds,
    );
  }

  /** Writes go on: so many more are acknowledged from now on. */
  async writesGoOn(more = 20, seconds = 60): Promise<void> {
    const before = this.writer.acknowledged;
    await until(`${more} more writes`, async () => this.writer.acknowledged >= before + more, seconds);
  }

  async instanceOf(machine: string): Promise<string> {
    const { controllers } = await this.status();
    const instance = controllers.find((controller) => controller.machine === machine)?.instance;
    if (!instance) throw new Error(`machine ${machine} has no instance`);
    return instance;
  }

  /** PID of a service of a machine, as its agent reports it. */
  async pidOf(machine: string, service: 'mongod' | 'api' | 'worker'): Promise<number> {
    const { controllers } = await this.status();
    const pid = controllers.find((controller) => controller.machine === machine)?.services?.[service]?.pid;
    if (!pid) throw new Error(`machine ${machine} reports no ${service}`);
    return pid;
  }

  /** SIGKILL of the engine's worker and of what would start it again, all at once. */
  async killEngineWorker(): Promise<void> {
    const { workerPid } = await engineStatus(this.store.dirs);
    if (workerPid === null) throw new Error('the engine has no worker');
    // The whole group; one that left meanwhile is what was wanted.
    signal(-workerPid, 'SIGKILL');
  }

  /** Stops writing and reads everything back: the keys of acknowledged writes that are not there. */
  async lost(): Promise<string[]> {
    await this.writer.stop();
    return await this.writer.missing();
  }

  async close(): Promise<void> {
    this.client.close();
    await this.home.close();
  }
}

/** A controller that is neither primary nor `but`; '' where there is none. */
export const secondaryOf = ({ ha, controllers }: Status, but = ''): string =>
  controllers.find(({ machine }) => machine !== ha.primary && machine !== but)?.machine ?? '';
