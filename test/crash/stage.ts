import type { Status } from '../../src/api/status.js';
import { openClient } from '../../src/client/open.js';
import { SteadyWriter } from '../../src/client/steady-writer.js';
import type { Instance } from '../../src/cloud/cloud.js';
import { openLocalCloud } from '../../src/cloud/local/open.js';
import { engineStatus, ensureEngine } from '../../src/engine/engine.js';
import { packageRoot } from '../../src/package.js';
import { openStore, type Store } from '../../src/store/store.js';
import { connectTemporal, type Temporal } from '../../src/temporal/connect.js';
import { environmentKey, SINGLETONS, workflowIds } from '../../src/temporal/names.js';
import { Home, type Run, until } from '../support/home.js';
import { Traces } from '../support/traces.js';
import { Holds } from './holds.js';

const NAME = 'demo';

/**
 * One operator's home with at most one environment, called demo, that is led from one state to another. All of its workers
 * carry the hook that lets an activity be held.
 */
export class Stage {
  readonly home = new Home();
  readonly holds = new Holds(this.home.dir);
  #temporal: Temporal | null = null;
  #writer: SteadyWriter | null = null;
  /** Of the environment as it was last led somewhere. */
  #traces: Traces | null = null;
  #closeClient: () => void = () => undefined;

  constructor() {
    this.home.env.NODE_OPTIONS = `${this.home.env.NODE_OPTIONS ?? ''} --import=${packageRoot()}/test/crash/hold.mjs`;
  }

  get name(): string {
    return NAME;
  }

  store(): Promise<Store> {
    return openStore(this.home.env);
  }

  async exists(): Promise<boolean> {
    return (await (await this.store()).readEnvironment(NAME)) !== null;
  }

  status(): Promise<Status> {
    return this.home.json<Status>('status', '-e', NAME);
  }

  /** Leads the environment to so many controllers; null: to none at all. */
  async lead(to: 1 | 3 | null): Promise<void> {
    if (to === null) {
      if (await this.exists()) await this.home.ok('destroy-environment', NAME, '--yes', '--force');
      return;
    }
    if (!(await this.exists())) await this.home.ok('bootstrap', 'local', NAME);
    const { ha } = await this.status();
    if (ha.voters !== to) await this.home.ok(...(to === 1 ? ['disable-ha'] : ['enable-ha', '-n', String(to)]));
    await this.settled(to);
    this.#traces = await Traces.of(await this.store(), NAME);
  }

  /** Writes through the API from now on; `stopWriting` says what was lost. */
  async write(): Promise<void> {
    const client = await openClient(await this.store(), NAME);
    this.#writer = new SteadyWriter(client, `crash-${process.pid}-${performance.now().toFixed(0)}`);
    this.#closeClient = () => client.close();
    this.#writer.start();
  }

  /** The keys of acknowledged writes that are not there. */
  async stopWriting(): Promise<readonly string[]> {
    const writer = this.#writer;
    if (writer === null) return [];
    this.#writer = null;
    await writer.stop();
    try {
      return await writer.missing();
    } finally {
      this.#closeClient();
    }
  }

  /** The environment that is destroyed on purpose answers no write. */
  async abandonWriting(): Promise<void> {
    this.#closeClient();
    await this.#writer?.stop();
    this.#writer = null;
  }

  /**
   * Waits until all is as it should be at rest: so many voters and nobody else in the set, no change, each instance that runs
   * belongs to a machine and each machine has one, all singletons run.
   */
  async settled(controllers: 1 | 3 | null): Promise<void> {
    if (controllers === null) return await this.#nothingLeft();
    await until(
      `${controllers} controllers at rest with nothing left over`,
      async () => {
        const status = await this.status();
        const instances = (await this.instances()).filter(({ state }) => state !== 'terminated');
        const flaws = [
          status.change && `a change runs: ${status.change.step}`,
          status.ha.voters !== controllers && `${status.ha.voters} voters`,
          status.ha.healthyVoters !== controllers && `${status.ha.healthyVoters} healthy voters`,
          status.ha.primary === null && 'no primary',
          status.controllers.length !== controllers &&
            `controllers ${status.controllers.map(({ machine }) => machine).join(', ')}`,
          instances.length !== controllers &&
            `instances of machines ${instances.map(({ tags, state }) => `${tags.machine} (${state})`).join(', ')}`,
          status.controllers.find(({ instance }) => !instances.some(({ id }) => id === instance)) &&
            'a controller without an instance',
          status.controllers.find(({ member }) => member === null || !member.vote) && 'a controller without a vote',
          ...(await this.#singletonsAway()),
        ].filter((flaw) => flaw !== false && flaw !== null && flaw !== undefined);
        if (flaws.length > 0) throw new Error(flaws.join('; '));
        return true;
      },
      150,
    );
  }

  async instances(): Promise<readonly Instance[]> {
    const record = await (await this.store()).readEnvironment(NAME);
    return record ? await (await this.cloud()).list(record.uuid) : [];
  }

  async cloud() {
    return openLocalCloud((await this.store()).dirs.localCloud, '', this.home.env);
  }

  async temporal(): Promise<Temporal> {
    if (this.#temporal === null) {
      const engine = await ensureEngine((await this.store()).dirs);
      this.#temporal = await connectTemporal({ target: engine.connection, uiUrl: engine.uiUrl });
    }
    return this.#temporal;
  }

  /** PIDs of all workers there are: the engine's and each controller's. */
  workers(): readonly number[] {
    return this.home
      .processes()
      .filter(({ command }) => /\/workers\/(engine|controller)\.js/.test(command))
      .map(({ pid }) => pid);
  }

  async enginePid(): Promise<number> {
    const { pid } = await engineStatus((await this.store()).dirs);
    if (pid === null) throw new Error('the engine does not run');
    return pid;
  }

  /** Types commands one after the other, each to its end; one that fails ends the row. */
  async type(commands: readonly (readonly string[])[]): Promise<Run> {
    let last: Run = { code: 0, stdout: '', stderr: '' };
    for (const words of commands) {
      last = await this.home.run(...words);
      if (last.code !== 0) break;
    }
    return last;
  }

  async close(): Promise<void> {
    await this.abandonWriting();
    await this.#temporal?.connection.close();
    await this.home.close();
  }

  async #singletonsAway(): Promise<readonly string[]> {
    const record = await (await this.store()).readEnvironment(NAME);
    if (record === null) return ['no record'];
    const { client } = await this.temporal();
    const key = environmentKey(record.name, record.uuid);
    const states = await Promise.all(
      SINGLETONS.map(async (name) => {
        const { status } = await client.workflow.getHandle(workflowIds.singleton(key, name)).describe();
        return status.name === 'RUNNING' ? [] : [`the ${name} is ${status.name}`];
      }),
    );
    return states.flat();
  }

  async #nothingLeft(): Promise<void> {
    const traces = this.#traces;
    if (traces === null) throw new Error('no environment was there that could have left something');
    await until(
      'nothing to be left of the environment',
      async () => {
        const left = await traces.left();
        if (left.length > 0) throw new Error(left.join('; '));
        return true;
      },
      60,
    );
  }
}
