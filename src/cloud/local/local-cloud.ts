import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError, usageError } from '../../errors.js';
import type { Bucket, Cloud, Instance, StartRequest } from '../cloud.js';
import { DirectoryBucket } from './bucket.js';
import { stateOf } from './group.js';
import { type Known, known, observeAll, observeOne, problemsOf, show, sound } from './inventory.js';
import { withLock } from './lock.js';
import { type Addressing, allocate, type Endpoint } from './network.js';
import { freeze, killAll, poll } from './power.js';
import { listProcesses, MARKER, sendSignal, startGroup } from './processes.js';
import { type InstanceRecord, instanceId, Records, unknownInstance } from './records.js';

const ZONES = ['a', 'b', 'c'] as const;
const GRACE_MS = 20_000;
/** How long a start waits for a shutdown that another command ordered. */
const SHUTDOWN_MS = 30_000;
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ'] as const;

export interface LocalCloudOptions {
  /** The directory that holds all environments' instances. */
  readonly root: string;
  /** What an instance runs, as its first process. */
  readonly startCommand: readonly string[];
  /** Default `loopback`; an environment keeps what it began with. */
  readonly addressing?: Addressing;
  /** Passed on to instances, beside PATH and the like. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A cloud on this machine: an instance is a group of real processes, started from user data and recorded on disk. The
 * record holds what was ordered; what is true is asked of the processes each time. So any process that opens the same
 * root finds the same instances.
 */
export class LocalCloud implements Cloud {
  readonly kind = 'local';
  readonly bucket: Bucket;
  readonly #records: Records;
  readonly #options: LocalCloudOptions;

  constructor(options: LocalCloudOptions) {
    this.#options = options;
    this.#records = new Records(options.root);
    this.bucket = new DirectoryBucket((environment) => this.#records.environmentDirectory(environment));
  }

  async zones(): Promise<readonly string[]> {
    return ZONES;
  }

  async start(request: StartRequest): Promise<Instance> {
    const { environment, machine, nonce } = request.tags;
    const id = instanceId(environment, nonce);
    await mkdir(this.#records.environmentDirectory(environment), { recursive: true, mode: 0o700 });
    await withLock(this.#records.environmentDirectory(environment), () => this.#claim(id, request));
    return this.#locked(environment, id, async (found, assertHeld) => {
      if (found.record.tags.machine !== machine) {
        throw new QuorateError(
          'nonce-taken',
          `the nonce of machine ${machine} belongs to machine ${found.record.tags.machine}`,
        );
      }
      return stateOf(found.record, found.group) === 'pending' ? this.#boot(found, assertHeld) : show(found);
    });
  }

  async findByNonce(environment: string, nonce: string): Promise<Instance | null> {
    const { loaded, processes } = await observeOne(this.#records, environment, instanceId(environment, nonce));
    // One that cannot be read is as good as gone to who looks before a start: the start repairs it.
    return loaded.kind === 'sound' ? show(known(loaded.record, processes)) : null;
  }

  async describe(id: string): Promise<Instance | null> {
    const environment = await this.#records.environmentOf(id);
    if (environment === null) return null;
    const { loaded, processes } = await observeOne(this.#records, environment, id);
    return loaded.kind === 'none' ? null : show(known(sound(id, loaded), processes));
  }

  async list(environment: string): Promise<readonly Instance[]> {
    const { loaded, processes } = await observeAll(this.#records, environment);
    return loaded.flatMap(({ is }) => (is.kind === 'sound' ? [show(known(is.record, processes))] : []));
  }

  async stop(id: string, options: { readonly graceMs?: number } = {}): Promise<Instance> {
    const environment = await this.#environmentOf(id);
    const boots = await this.#locked(environment, id, async ({ record, group }) => {
      // One that is off already keeps the cause that it went off by; only its leftovers are cleared.
      if (record.power !== 'terminated' && group.leader !== null) {
        await this.#records.write({ ...record, power: 'off' });
        sendSignal(group.leader.pid, 'SIGTERM');
      }
      return record.boots;
    });
    await poll(options.graceMs ?? GRACE_MS, async () => {
      const { record, group } = await this.#known(environment, id);
      return group.leader === null || record.boots !== boots;
    });
    return this.#cutPower(environment, id, boots);
  }

  /** A power cut: no process of the instance gets to do anything more. It can start again. */
  async powerOff(id: string): Promise<Instance> {
    return this.#cutPower(await this.#environmentOf(id), id, null);
  }

  async startAgain(id: string): Promise<Instance> {
    const environment = await this.#environmentOf(id);
    await poll(SHUTDOWN_MS, async () => {
      const { record, group } = await this.#known(environment, id);
      return record.power === 'terminated' || stateOf(record, group) !== 'stopping';
    });
    return this.#locked(environment, id, async (found, assertHeld) => {
      const state = stateOf(found.record, found.group);
      if (found.record.power === 'terminated') {
        throw new QuorateError('instance-terminated', `instance ${id} is terminated and cannot start again`);
      }
      if (state === 'stopping') {
        throw new QuorateError('instance-stopping', `instance ${id} is still shutting down`, {
          todo: 'wait until it is stopped and start it again',
        });
      }
      return state === 'running' || state === 'paused' ? show(found) : this.#boot(found, assertHeld);
    });
  }

  async terminate(id: string): Promise<Instance> {
    return this.#terminate(await this.#environmentOf(id), id);
  }

  /** Freezes every process of the instance where it stands. */
  async pause(id: string): Promise<Instance> {
    return this.#freeze(id, 'SIGSTOP');
  }

  async resume(id: string): Promise<Instance> {
    return this.#freeze(id, 'SIGCONT');
  }

  async consoleLog(id: string): Promise<string> {
    return this.#records.console(await this.#environmentOf(id), id);
  }

  /** UUIDs of all environments that have instances here, known to anyone or not. */
  async environments(): Promise<readonly string[]> {
    return this.#records.environments();
  }

  /** In sentences, what of an environment is damaged on disk or left over. */
  async problems(environment: string): Promise<readonly string[]> {
    const { loaded, processes } = await observeAll(this.#records, environment);
    return loaded.flatMap(({ id, is }) => problemsOf(id, is, processes));
  }

  /** Terminates whatever is left of an environment and removes its records. */
  async removeEnvironment(environment: string): Promise<void> {
    const directory = this.#records.environmentDirectory(environment);
    await mkdir(this.#options.root, { recursive: true, mode: 0o700 });
    await withLock(directory, async () => {
      const ids = await this.#records.instances(environment);
      await Promise.all(ids.map((id) => this.#terminate(environment, id)));
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    });
  }

  /** Under the environment's lock: makes the instance's files when it has none, or none that can be read. */
  async #claim(id: string, { tags, zone, userData }: StartRequest): Promise<void> {
    const loaded = await this.#records.load(tags.environment, id);
    if (loaded.kind === 'sound') return;
    if (!ZONES.some((each) => each === zone))
      throw usageError('unknown-zone', `the local cloud has no zone ${zone}`, `use ${ZONES.join(', ')}`);
    const directory = this.#records.environmentDirectory(tags.environment);
    const addressing = this.#options.addressing ?? 'loopback';
    const endpoint = await allocate(directory, tags.environment, addressing, await this.#endpoints());
    const startedAt = new Date().toISOString();
    const record: InstanceRecord = {
      version: 1,
      instance: id,
      tags,
      zone,
      ...endpoint,
      power: 'on',
      boots: 0,
      startedAt,
      process: null,
    };
    if (loaded.kind === 'none') return this.#records.create(record, userData);
    // Nobody knows any more where it listened: what still runs of it must not go on beside its new address.
    await killAll(id, null);
    await this.#records.restore(record, userData);
  }

  async #endpoints(): Promise<Endpoint[]> {
    const all = await Promise.all((await this.#records.environments()).map((each) => this.#records.loadAll(each)));
    return all.flat().flatMap(({ is }) => (is.kind === 'sound' ? [is.record] : []));
  }

  /** Under the instance's lock; clears what an earlier run left. */
  async #boot({ record }: Known, assertHeld: () => void): Promise<Instance> {
    await killAll(record.instance, record.process);
    const starting: InstanceRecord = {
      ...record,
      power: 'on',
      boots: record.boots + 1,
      startedAt: new Date().toISOString(),
      process: null,
    };
    await this.#records.write(starting);
    await this.#records.writeMetadata(starting);
    assertHeld();
    const directory = this.#records.directory(record.tags.environment, record.instance);
    const leader = await startGroup(this.#options.startCommand, {
      directory,
      log: join(directory, 'console.log'),
      env: this.#environmentFor(record.instance, directory),
    });
    const started = { ...starting, process: leader };
    await this.#records.write(started);
    return show(known(started, await listProcesses()));
  }

  #environmentFor(id: string, directory: string): Record<string, string> {
    const passed = PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
    return { ...Object.fromEntries(passed), ...this.#options.env, [MARKER]: id, QUORATE_INSTANCE_DIR: directory };
  }

  /** Kills what is left of a stopping instance; `boots` names the run that was meant, null means whichever runs. */
  async #cutPower(environment: string, id: string, boots: number | null): Promise<Instance> {
    return this.#locked(environment, id, async ({ record, group }, assertHeld) => {
      if (record.power === 'terminated' || (boots !== null && record.boots !== boots)) return show({ record, group });
      const off = stateOf(record, group) === 'stopped' ? record : { ...record, power: 'off' as const };
      await this.#records.write(off);
      assertHeld();
      await killAll(id, record.process);
      return show(known(off, await listProcesses()));
    });
  }

  async #terminate(environment: string, id: string): Promise<Instance> {
    return withLock(this.#records.directory(environment, id), async (assertHeld) => {
      const loaded = await this.#records.load(environment, id);
      if (loaded.kind === 'none') throw unknownInstance(id);
      if (loaded.kind === 'damaged') return this.#terminateDamaged(environment, id);
      const ending: InstanceRecord = { ...loaded.record, power: 'terminated' };
      await this.#records.write(ending);
      assertHeld();
      await killAll(id, ending.process);
      await this.#records.removeDisk(ending);
      const ended = { ...ending, process: null };
      await this.#records.write(ended);
      return show(known(ended, []));
    });
  }

  /** Its tags are lost, its processes are not: they carry its ID. Nothing is kept of it. */
  async #terminateDamaged(environment: string, id: string): Promise<Instance> {
    await killAll(id, null);
    await this.#records.remove(environment, id);
    const tags = { environment, machine: '', nonce: '' };
    return {
      id,
      state: 'terminated',
      tags,
      zone: '',
      address: '',
      ports: { api: 0, mongo: 0 },
      cause: 'user',
      startedAt: '',
    };
  }

  async #freeze(id: string, signal: 'SIGSTOP' | 'SIGCONT'): Promise<Instance> {
    const environment = await this.#environmentOf(id);
    return this.#locked(environment, id, async ({ record, group }, assertHeld) => {
      if (group.leader === null || record.process === null) {
        throw new QuorateError('instance-not-running', `instance ${id} is ${stateOf(record, group)}`, {
          todo: 'only an instance that runs can be paused and resumed',
        });
      }
      assertHeld();
      await freeze(id, record.process, signal);
      return show(known(record, await listProcesses()));
    });
  }

  async #environmentOf(id: string): Promise<string> {
    const environment = await this.#records.environmentOf(id);
    if (environment === null) throw unknownInstance(id);
    return environment;
  }

  async #known(environment: string, id: string): Promise<Known> {
    const { loaded, processes } = await observeOne(this.#records, environment, id);
    return known(sound(id, loaded), processes);
  }

  /**
   * One order at a time for an instance. A leader that runs and is not in the record (its start was interrupted, or the
   * record had to be rebuilt) is written into it first.
   */
  async #locked<T>(
    environment: string,
    id: string,
    work: (found: Known, assertHeld: () => void) => Promise<T>,
  ): Promise<T> {
    return withLock(this.#records.directory(environment, id), async (assertHeld) => {
      const { record, group } = await this.#known(environment, id);
      if (record.process !== null || group.leader === null) return work({ record, group }, assertHeld);
      const { group: leader, startedAt } = group.leader;
      const adopted = { ...record, process: { group: leader, startedAt } };
      await this.#records.write(adopted);
      return work({ record: adopted, group }, assertHeld);
    });
  }
}
