import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { Change } from '../../src/api/changes.js';
import type { Status } from '../../src/api/status.js';
import { openClient } from '../../src/client/open.js';
import { SteadyWriter } from '../../src/client/steady-writer.js';
import type { Instance } from '../../src/cloud/cloud.js';
import { MOST_A_DAY } from '../../src/membership/pace.js';
import { packageRoot } from '../../src/package.js';
import { adminCommand } from '../../src/replicaset/connect.js';
import type { SetConfig } from '../../src/replicaset/wire.js';
import { openStore, type Store } from '../../src/store/store.js';
import { progressOf } from '../../src/temporal/changes.js';
import type { Temporal } from '../../src/temporal/connect.js';
import { environmentKey, SENTINEL, SINGLETONS, workflowIds } from '../../src/temporal/names.js';
import { WRITER_PAUSE_MS } from '../support/environment.js';
import { Home, type Run, until } from '../support/home.js';
import { COMMANDS } from '../support/programs.js';
import { Ec2Site } from '../support/sites/ec2.js';
import { LocalSite } from '../support/sites/local.js';
import type { Site } from '../support/sites/site.js';
import { Holds } from './holds.js';

const NAME = 'demo';
const HOLDING = `--import=${packageRoot()}/test/crash/hold.mjs`;
/** Machines that boot are there later. */
const PATIENCE = { local: 1, ec2: 4 } as const;
/** A case takes two replacements by the sentinel at most: of what the script loses, and of what the calamity kills. */
const MOST_A_CASE = 2;

/**
 * One operator's home with at most one environment, called demo, that is led from one state to another. All of its workers
 * carry the hook that lets an activity be held.
 */
export class Stage {
  #temporal: Temporal | null = null;
  #writer: SteadyWriter | null = null;
  /** Of the environment as it was last led somewhere. */
  #traces: Awaited<ReturnType<Site['traces']>> | null = null;
  /** What there was by then: instances and changes. */
  #there: ReadonlySet<string> = new Set();
  /** Instances that were ended since, or lost their power once. */
  readonly #hit = new Set<string>();
  /** Instances that were started for no machine. */
  readonly #strays = new Set<string>();
  #closeClient: () => void = () => undefined;

  /** @param patience so many times as long is waited as on the local cloud */
  private constructor(
    readonly site: Site,
    readonly holds: Holds,
    readonly patience: number,
  ) {
    site.home.env.NODE_OPTIONS = `${site.home.env.NODE_OPTIONS ?? ''} ${HOLDING}`;
  }

  static async open(cloud: 'local' | 'ec2'): Promise<Stage> {
    const home = new Home();
    const patience = PATIENCE[cloud];
    const holds = new Holds(home.dir, patience);
    if (cloud === 'local') return new Stage(new LocalSite('', home), holds, patience);
    // Instances run what they were given, but for their workers: those are this checkout's, where they can be held.
    const root = packageRoot();
    const shared = {
      directories: [...new Set([root, realpathSync(join(root, 'node_modules')), holds.directory])],
      env: { NODE_OPTIONS: HOLDING, QUORATE_HOLDS: holds.directory },
    };
    return new Stage(await Ec2Site.open({ home, shared }), holds, patience);
  }

  get home(): Home {
    return this.site.home;
  }

  get name(): string {
    return NAME;
  }

  /** So many instances were ended or lost their power since the environment was led somewhere. */
  get hit(): number {
    return this.#hit.size;
  }

  store(): Promise<Store> {
    return openStore(this.home.env);
  }

  async exists(): Promise<boolean> {
    return (await (await this.store()).readEnvironment(NAME)) !== null;
  }

  /** By a client of its own, as the environment is another one every few cases. */
  async status(): Promise<Status> {
    const client = await openClient(await this.store(), NAME);
    try {
      return (await client.request<Status>('GET', '/v1/status')).body;
    } finally {
      client.close();
    }
  }

  /** Leads the environment to so many controllers; null: to none at all. */
  async lead(to: 1 | 3 | null): Promise<void> {
    if ((await this.exists()) && (to === null || (await this.#isWornOut()))) {
      await this.home.ok('destroy-environment', NAME, '--yes', '--force');
    }
    if (to === null) return;
    if (!(await this.exists())) await this.home.ok('bootstrap', this.site.cloudName, NAME);
    if ((await this.status()).ha.voters !== to) await this.#resize(to);
    await this.settled(to);
    this.#traces = await this.site.traces(NAME);
    this.#there = new Set([...(await this.instances()), ...(await this.#changes())].map(({ id }) => id));
    this.#hit.clear();
  }

  /** Waits until the status is as asked for. */
  async statusWhen(what: string, seen: (status: Status) => boolean): Promise<void> {
    await until(what, async () => seen(await this.status()), 120 * this.patience);
  }

  /** Writes through the API from now on; `stopWriting` says what was lost. */
  async write(): Promise<void> {
    const client = await openClient(await this.store(), NAME);
    this.#writer = new SteadyWriter(client, `crash-${process.pid}-${performance.now().toFixed(0)}`);
    this.#closeClient = () => client.close();
    this.#writer.start(WRITER_PAUSE_MS);
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
   * Waits until all is as it should be at rest: so many voters and nobody else in the set, each member a controller's own, no
   * change, each instance that runs belongs to a machine and each machine has one, all singletons run.
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
          ...(await this.#strangers(status)),
        ].filter((flaw) => flaw !== false && flaw !== null && flaw !== undefined);
        if (flaws.length > 0) throw new Error(flaws.join('; '));
        return true;
      },
      150 * this.patience,
    );
  }

  async instances(): Promise<readonly Instance[]> {
    const record = await (await this.store()).readEnvironment(NAME);
    return record ? await this.site.console.list(record.uuid) : [];
  }

  async instanceOf(machine: string): Promise<string> {
    const instance = (await this.instances()).find(({ tags }) => tags.machine === machine);
    if (instance === undefined) throw new Error(`machine ${machine} has no instance`);
    return instance.id;
  }

  /** An instance is gone for good. */
  async end(instance: string): Promise<void> {
    this.#hit.add(instance);
    await this.site.console.terminate(instance);
  }

  /** An instance loses its power. */
  async powerOff(instance: string): Promise<void> {
    this.#hit.add(instance);
    await this.site.powerOff(instance);
  }

  /** An instance loses its power, and gets it again. */
  async powerCycle(instance: string): Promise<void> {
    await this.powerOff(instance);
    await this.site.console.startAgain(instance);
  }

  /** Starts an instance that belongs to no machine, though its tags name one, and waits until somebody ends it. */
  async stray(environment: string): Promise<void> {
    const { console } = this.site;
    const [zone = ''] = await console.zones();
    const tags = { environment, machine: '0', nonce: randomUUID() };
    const { id } = await console.start({ tags, userData: '{}', zone });
    this.#strays.add(id);
    await until('the stray to be ended', async () => (await console.describe(id))?.state === 'terminated', 20);
  }

  /** Waits until three others vote in the place of this machine and those beside it, and the change that did it has ended. */
  async replaced(machine: string): Promise<void> {
    const membership = await this.#membership();
    await until(
      `machine ${machine} to be replaced`,
      async () => {
        const { ha, controllers } = await this.status();
        const others = controllers.filter((controller) => controller.machine !== machine);
        if (ha.healthyVoters !== 3 || ha.voters !== 3 || others.length !== controllers.length) {
          throw new Error(
            `${ha.healthyVoters} of ${ha.voters} vote; ${controllers.map((one) => one.machine).join(', ')}`,
          );
        }
        return (await membership.describe()).status.name !== 'RUNNING';
      },
      235 * this.patience,
    );
  }

  /** Asks the change that runs to cancel once it is at a step with these words; nothing is asked once `ended` has resolved. */
  async cancel(step: string, ended: Promise<unknown>): Promise<void> {
    let over = false;
    const end = ended.then(() => {
      over = true;
    });
    const membership = await this.#membership();
    await until(
      `a change to ${step}`,
      async () => {
        if (over) return true;
        const running = (await progressOf(membership))?.steps.findLast(({ state }) => state === 'running');
        if (!running?.text.includes(step)) return false;
        await membership.cancel();
        return true;
      },
      120 * this.patience,
    );
    await end;
  }

  /** Machines for which more than one instance was ever started. */
  async doubled(): Promise<readonly string[]> {
    const own = (await this.instances()).filter(({ id }) => !this.#strays.has(id));
    const machines = own.map(({ tags }) => tags.machine);
    return machines.filter((machine, index) => machines.indexOf(machine) !== index);
  }

  /** Machines that were started since the environment was led somewhere and are at work no more, though nobody ended them. */
  async startedInVain(): Promise<readonly string[]> {
    const { controllers } = await this.status();
    return (await this.instances())
      .filter(({ id }) => !this.#there.has(id) && !this.#hit.has(id))
      .filter(({ id }) => controllers.every(({ instance }) => instance !== id))
      .map(({ tags }) => tags.machine);
  }

  /** What the sentinel has begun since the environment was led somewhere. */
  async replacements(): Promise<readonly Change[]> {
    return (await this.#changes()).filter(({ id, by }) => !this.#there.has(id) && by === SENTINEL);
  }

  async temporal(): Promise<Temporal> {
    this.#temporal ??= await this.site.connect();
    return this.#temporal;
  }

  /** PIDs of all workers there are: the engine's and each controller's. */
  workers(): readonly number[] {
    const engines = this.home.processes().filter(({ command }) => COMMANDS.engineWorker.test(command));
    return [...engines.map(({ pid }) => pid), ...this.site.workers()];
  }

  async enginePid(): Promise<number> {
    const pid = await this.site.temporalPid();
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
    await this.site.close();
  }

  /** The sentinel could not replace as many more today as one case may need. */
  async #isWornOut(): Promise<boolean> {
    const begun = (await this.#changes()).filter(({ by }) => by === SENTINEL);
    return begun.length > MOST_A_DAY - MOST_A_CASE;
  }

  /** On a machine that is busy with much else a command may give up before its question was answered. */
  async #resize(to: 1 | 3): Promise<void> {
    await until(
      `${to} controllers`,
      async () => {
        const { code, stderr } = await this.home.run(...(to === 1 ? ['disable-ha'] : ['enable-ha', '-n', String(to)]));
        if (code !== 0) throw new Error(stderr);
        return true;
      },
      240 * this.patience,
    );
  }

  async #changes(): Promise<readonly Change[]> {
    return await this.home.json<Change[]>('changes', '-e', NAME);
  }

  /** The latest change of the controllers, as Temporal has it. */
  async #membership(): Promise<WorkflowHandle> {
    const record = await (await this.store()).readEnvironment(NAME);
    if (record === null) throw new Error(`there is no environment ${NAME}`);
    const { client } = await this.temporal();
    return client.workflow.getHandle(workflowIds.membership(environmentKey(record.name, record.uuid)));
  }

  /** Members of the replica set, as its primary has them, that are no controller's own. */
  async #strangers({ environment, ha, controllers }: Status): Promise<readonly string[]> {
    const primary = controllers.find(({ machine }) => machine === ha.primary);
    if (primary === undefined) return [];
    const client = await this.site.login(environment.uuid, primary);
    try {
      const { config } = await adminCommand(client, { replSetGetConfig: 1 });
      return (config as SetConfig).members
        .filter(({ _id, host }) => !controllers.some(({ mongo, member }) => mongo === host && member?.id === _id))
        .map(({ _id, host }) => `member ${_id} (${host}) belongs to no controller`);
    } finally {
      await client.close();
    }
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
      60 * this.patience,
    );
  }
}
