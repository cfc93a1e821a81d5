import { mkdir, rm } from 'node:fs/promises';
import { QuorateError } from '../../errors.js';
import type { InstanceType } from '../../machines/instance-type.js';
import type { Bucket, Cloud, StartRequest } from '../cloud.js';
import { DirectoryBucket } from './bucket.js';
import { type Direction, NO_CONDITIONS } from './conditions.js';
import { Faults } from './faults.js';
import { type LocalInstance, stateOf } from './group.js';
import { LocalFirewall } from './ingress/firewall.js';
import { INSTANCE_TYPES, instanceTypeNamed } from './instance-types.js';
import { Instances } from './instances.js';
import { known, observeAll, observeOne, problemsOf, show, sound } from './inventory.js';
import { isolationIn } from './isolations.js';
import { withLock } from './lock.js';
import { type Addressing, allocate, type Endpoint, type Network, networkOf, readSubnet, subnetOf } from './network.js';
import { freeze, killAll, poll } from './power.js';
import { listProcesses, sendSignal } from './processes.js';
import { type InstanceRecord, instanceId, type Records, unknownInstance } from './records.js';
import { boot, cutOff, type RunOptions } from './runs.js';
import { checkZone, readFullZones, refuseFullZone, writeFullZone, ZONES } from './zones.js';

const GRACE_MS = 20_000;
/** How long a start waits for a shutdown that another command ordered. */
const SHUTDOWN_MS = 30_000;

export interface LocalCloudOptions extends RunOptions {
  /** Default `loopback`; an environment keeps what it began with. */
  readonly addressing?: Addressing;
}

/**
 * A cloud on this machine: an instance is a group of real processes, started from user data and recorded on disk. The
 * record holds what was ordered; what is true is asked of the processes each time. So any process that opens the same
 * root finds the same instances.
 */
export class LocalCloud implements Cloud {
  readonly kind = 'local';
  readonly machinesMayAsk = false;
  readonly bucket: Bucket;
  readonly firewall: LocalFirewall;
  readonly #faults: Faults;
  readonly #instances: Instances;
  readonly #records: Records;
  readonly #options: LocalCloudOptions;

  constructor(options: LocalCloudOptions) {
    this.#options = options;
    this.#instances = new Instances(options.root);
    this.#records = this.#instances.records;
    this.#faults = new Faults(this.#instances);
    this.firewall = new LocalFirewall(this.#instances);
    this.bucket = new DirectoryBucket((environment) => this.#records.environmentDirectory(environment));
  }

  async zones(): Promise<readonly string[]> {
    return ZONES;
  }

  async instanceTypes(): Promise<readonly InstanceType[]> {
    return INSTANCE_TYPES;
  }

  /** From now on nothing new is started in this zone of an environment, or it is again. What runs there goes on. */
  async setZoneFull(environment: string, zone: string, full = true): Promise<void> {
    checkZone(zone);
    const directory = this.#records.environmentDirectory(environment);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await withLock(directory, () => writeFullZone(directory, zone, full));
  }

  /** The zones of an environment in which nothing new is started. */
  async fullZones(environment: string): Promise<readonly string[]> {
    return readFullZones(this.#records.environmentDirectory(environment));
  }

  async start(request: StartRequest): Promise<LocalInstance> {
    const { environment, machine, nonce } = request.tags;
    const id = instanceId(environment, nonce);
    await mkdir(this.#records.environmentDirectory(environment), { recursive: true, mode: 0o700 });
    await withLock(this.#records.environmentDirectory(environment), () => this.#claim(id, request));
    return this.#instances.locked(environment, id, async (found, assertHeld) => {
      if (found.record.tags.machine !== machine) {
        throw new QuorateError(
          'nonce-taken',
          `the nonce of machine ${machine} belongs to machine ${found.record.tags.machine}`,
        );
      }
      return stateOf(found.record, found.group) === 'pending'
        ? boot(this.#instances, this.#options, found, assertHeld)
        : show(found);
    });
  }

  async findByNonce(environment: string, nonce: string): Promise<LocalInstance | null> {
    const { loaded, processes } = await observeOne(this.#records, environment, instanceId(environment, nonce));
    // One that cannot be read is as good as gone to who looks before a start: the start repairs it.
    return loaded.kind === 'sound' ? show(known(loaded.record, processes)) : null;
  }

  async describe(id: string): Promise<LocalInstance | null> {
    const environment = await this.#records.environmentOf(id);
    if (environment === null) return null;
    const { loaded, processes } = await observeOne(this.#records, environment, id);
    return loaded.kind === 'none' ? null : show(known(sound(id, loaded), processes));
  }

  async list(environment: string): Promise<readonly LocalInstance[]> {
    const { loaded, processes } = await observeAll(this.#records, environment);
    return loaded.flatMap(({ is }) => (is.kind === 'sound' ? [show(known(is.record, processes))] : []));
  }

  async stop(id: string, options: { readonly graceMs?: number } = {}): Promise<LocalInstance> {
    const environment = await this.#instances.environmentOf(id);
    const boots = await this.#instances.locked(environment, id, async ({ record, group }) => {
      // One that is off already keeps the cause that it went off by; only its leftovers are cleared.
      if (record.power !== 'terminated' && group.leader !== null) {
        await this.#records.write({ ...record, power: 'off' });
        sendSignal(group.leader.pid, 'SIGTERM');
      }
      return record.boots;
    });
    await poll(options.graceMs ?? GRACE_MS, async () => {
      const { record, group } = await this.#instances.known(environment, id);
      return group.leader === null || record.boots !== boots;
    });
    return this.#cutPower(environment, id, boots);
  }

  /** A power cut: no process of the instance gets to do anything more. It can start again. */
  async powerOff(id: string): Promise<LocalInstance> {
    return this.#cutPower(await this.#instances.environmentOf(id), id, null);
  }

  async startAgain(id: string): Promise<LocalInstance> {
    const environment = await this.#instances.environmentOf(id);
    await poll(SHUTDOWN_MS, async () => {
      const { record, group } = await this.#instances.known(environment, id);
      return record.power === 'terminated' || stateOf(record, group) !== 'stopping';
    });
    return this.#instances.locked(environment, id, async (found, assertHeld) => {
      const state = stateOf(found.record, found.group);
      if (found.record.power === 'terminated') {
        throw new QuorateError('instance-terminated', `instance ${id} is terminated and cannot start again`);
      }
      if (state === 'stopping') {
        throw new QuorateError('instance-stopping', `instance ${id} is still shutting down`, {
          todo: 'wait until it is stopped and start it again',
        });
      }
      return state === 'running' || state === 'paused'
        ? show(found)
        : boot(this.#instances, this.#options, found, assertHeld);
    });
  }

  async terminate(id: string): Promise<LocalInstance> {
    return this.#terminate(await this.#instances.environmentOf(id), id);
  }

  /** Freezes every process of the instance where it stands. */
  async pause(id: string): Promise<LocalInstance> {
    return this.#freeze(id, 'SIGSTOP');
  }

  async resume(id: string): Promise<LocalInstance> {
    return this.#freeze(id, 'SIGCONT');
  }

  /** Packets vanish. `from`: other instances' IDs, or `host` for the operator's machine; default everybody. */
  async partition(id: string, cut: { from?: readonly string[]; direction?: Direction } = {}): Promise<LocalInstance> {
    return this.#faults.partition(id, cut);
  }

  /** The instance's link as new, whoever cut it, and neither slow nor lossy any more. */
  async heal(id: string): Promise<LocalInstance> {
    return this.#faults.heal(id);
  }

  /** The instance's link slow and lossy, each way. */
  async degrade(id: string, how: { delayMs?: number; lossPercent?: number }): Promise<LocalInstance> {
    return this.#faults.degrade(id, how);
  }

  /** The instance's clock off, from its next start on. */
  async setClock(id: string, offsetMs: number): Promise<LocalInstance> {
    return this.#faults.setClock(id, offsetMs);
  }

  /** The instance's disk of this size, from its next start on; null for as much as the host has. */
  async limitDisk(id: string, bytes: number | null): Promise<LocalInstance> {
    return this.#faults.limitDisk(id, bytes);
  }

  /** No space left on a disk of limited size, or the space back. */
  async fillDisk(id: string, full = true): Promise<LocalInstance> {
    return this.#faults.setDiskFull(id, full);
  }

  /** Where an environment's instances reach this machine; null when they share its loopback. */
  async hostAddress(environment: string): Promise<string | null> {
    const directory = this.#records.environmentDirectory(environment);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return withLock(directory, async () => {
      const isolation = await isolationIn(subnetOf(await this.#network(environment, await this.#endpoints())));
      await isolation.prepare(environment, directory);
      return isolation.hostAddress;
    });
  }

  async consoleLog(id: string): Promise<string> {
    return this.#records.console(await this.#instances.environmentOf(id), id);
  }

  /** Where an instance keeps its files; a disk of limited size is seen only from inside. */
  directoryOf({ id, tags }: Pick<LocalInstance, 'id' | 'tags'>): string {
    return this.#records.directory(tags.environment, id);
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
      const isolation = await isolationIn(await readSubnet(directory));
      await Promise.all(ids.map((id) => this.#terminate(environment, id)));
      await this.firewall.end(environment);
      await isolation.remove(environment);
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    });
  }

  /** Under the environment's lock: makes the instance's files when it has none, or none that can be read. */
  async #claim(id: string, { tags, zone, userData, instanceType = '' }: StartRequest): Promise<void> {
    const loaded = await this.#records.load(tags.environment, id);
    if (loaded.kind === 'sound') return;
    checkZone(zone);
    const type = instanceTypeNamed(instanceType);
    const directory = this.#records.environmentDirectory(tags.environment);
    // An instance that was there before, and whose record is damaged, takes no more room than it had.
    if (loaded.kind === 'none') await refuseFullZone(directory, zone);
    const used = await this.#endpoints();
    const network = await this.#network(tags.environment, used);
    const endpoint = await allocate(directory, network, used);
    const startedAt = new Date().toISOString();
    const record: InstanceRecord = {
      version: 1,
      instance: id,
      tags,
      zone,
      type: type.name,
      ...endpoint,
      isolation: subnetOf(network) === null ? 'process' : 'namespace',
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

  /** Under the environment's lock: its network, chosen now when it has none. */
  async #network(environment: string, used: readonly Endpoint[]): Promise<Network> {
    const directory = this.#records.environmentDirectory(environment);
    return networkOf(directory, environment, this.#options.addressing ?? 'loopback', used);
  }

  async #endpoints(): Promise<Endpoint[]> {
    const all = await Promise.all((await this.#records.environments()).map((each) => this.#records.loadAll(each)));
    return all.flat().flatMap(({ is }) => (is.kind === 'sound' ? [is.record] : []));
  }

  /** Kills what is left of a stopping instance; `boots` names the run that was meant, null means whichever runs. */
  async #cutPower(environment: string, id: string, boots: number | null): Promise<LocalInstance> {
    return this.#instances.locked(environment, id, async ({ record, group }, assertHeld) => {
      if (record.power === 'terminated' || (boots !== null && record.boots !== boots)) return show({ record, group });
      const off = stateOf(record, group) === 'stopped' ? record : { ...record, power: 'off' as const };
      await this.#records.write(off);
      assertHeld();
      await cutOff(record);
      return show(known(off, await listProcesses()));
    });
  }

  async #terminate(environment: string, id: string): Promise<LocalInstance> {
    return withLock(this.#records.directory(environment, id), async (assertHeld) => {
      const loaded = await this.#records.load(environment, id);
      if (loaded.kind === 'none') throw unknownInstance(id);
      if (loaded.kind === 'damaged') return this.#terminateDamaged(environment, id);
      const ending: InstanceRecord = { ...loaded.record, power: 'terminated' };
      await this.#records.write(ending);
      assertHeld();
      await this.firewall.drop(environment, id);
      await cutOff(ending);
      await this.#records.removeDisk(ending);
      const ended = { ...ending, process: null, conditions: NO_CONDITIONS };
      await this.#records.write(ended);
      return show(known(ended, []));
    });
  }

  /** Its tags are lost, its processes are not: they carry its ID. Nothing is kept of it. */
  async #terminateDamaged(environment: string, id: string): Promise<LocalInstance> {
    await killAll(id, null);
    await this.firewall.drop(environment, id);
    const isolation = await isolationIn(await readSubnet(this.#records.environmentDirectory(environment)));
    await isolation.clear(id);
    await this.#records.remove(environment, id);
    const tags = { environment, machine: '', nonce: '' };
    return {
      id,
      state: 'terminated',
      tags,
      zone: '',
      type: '',
      address: '',
      ports: { api: 0, mongo: 0 },
      cause: 'user',
      startedAt: '',
      isolation: isolation.kind,
      conditions: NO_CONDITIONS,
    };
  }

  async #freeze(id: string, signal: 'SIGSTOP' | 'SIGCONT'): Promise<LocalInstance> {
    const environment = await this.#instances.environmentOf(id);
    return this.#instances.locked(environment, id, async ({ record, group }, assertHeld) => {
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
}
