import { QuorateError } from '../../errors.js';
import type { InstanceType } from '../../machines/instance-type.js';
import type { BootSeen, Cloud, CloudSettings, InstanceHealth, Preparing, StartRequest } from '../cloud.js';
import type { Amazon } from './amazon.js';
import { bootSeen } from './boot/console.js';
import { architecturesOf } from './boot/sources.js';
import { S3Bucket } from './bucket.js';
import { Ec2Firewall } from './firewall.js';
import { Groups } from './groups.js';
import type { Architecture, Image } from './image-names.js';
import { findImage } from './images.js';
import type { Ec2Instance } from './instance.js';
import { Instances } from './instances.js';
import { launch } from './launch.js';
import { type Network, networkOf } from './network.js';
import type { Ec2Type } from './offered.js';
import { Remembered } from './remembered.js';
import { removeEnvironment } from './removal.js';
import { runInput } from './run-input.js';
import { DEFAULTS, type Ec2Settings } from './settings.js';
import { type TaggedThings, thingsOfAll } from './tagged-things.js';
import { findType, listTypes } from './types.js';
import { whoAmI } from './who.js';

/** Instance types and images are new once in months, and a repeated start has to ask for the same. */
const SELDOM_MS = 60 * 60_000;

/** What an instance of an architecture is given to boot with: the same bytes for the same request. */
export type Renderer = (request: StartRequest, architecture: Architecture) => string;

/** Amazon EC2 in one region: what is true is asked of the API each time, by tag. */
export class Ec2Cloud implements Cloud {
  readonly kind = 'ec2';
  readonly bucket: S3Bucket;
  readonly firewall: Ec2Firewall;
  readonly network: Remembered<Network>;
  readonly #instances: Instances;
  readonly #groups: Groups;
  readonly #types: Remembered<readonly Ec2Type[]>;
  readonly #images = new Map<Architecture, Remembered<Image>>();
  /** Starts of this process that go on, by nonce: two of one nonce are one. */
  readonly #starting = new Map<string, Promise<Ec2Instance>>();

  /** @param render makes of a machine's user data what its cloud-init runs (boot/text.ts); by default it is given as it is */
  constructor(
    readonly amazon: Amazon,
    readonly settings: Ec2Settings = DEFAULTS,
    private readonly render: Renderer = ({ userData }) => userData,
  ) {
    const who = new Remembered(() => whoAmI(amazon), Number.POSITIVE_INFINITY);
    this.bucket = new S3Bucket(amazon, async () => (await who.get()).account);
    this.network = networkOf(amazon, settings.vpc);
    this.#instances = new Instances(amazon);
    this.#groups = new Groups(amazon, settings.apiFrom);
    this.firewall = new Ec2Firewall(amazon, this.#groups, this.#instances);
    this.#types = new Remembered(() => listTypes(amazon, settings.types, settings.diskGiB), SELDOM_MS);
  }

  async zones(): Promise<readonly string[]> {
    return (await this.network.get()).subnets.map(({ zone }) => zone);
  }

  async instanceTypes(): Promise<readonly InstanceType[]> {
    return (await this.types()).map(({ architecture: _, ...type }) => type);
  }

  /** Those that are offered; once it is fixed where instances get what they run, those that can boot with it. */
  async types(): Promise<readonly Ec2Type[]> {
    const types = await this.#types.get();
    const { sources } = this.settings;
    if (sources === undefined) return types;
    const architectures = architecturesOf(sources);
    return types.filter(({ architecture }) => architectures.includes(architecture));
  }

  /** Puts what instances of all architectures that can be had run into the environment's bucket, unless it is there. */
  async prepare(environment: string, preparing: Preparing): Promise<CloudSettings> {
    if (this.settings.sources !== undefined) return { ...this.settings };
    const { bootable, publishParts } = await import('./boot/publish.js');
    const architectures = new Set((await this.#types.get()).map(({ architecture }) => architecture));
    const had = await bootable([...architectures], this.settings, preparing);
    const sources = await publishParts(this.bucket, environment, this.amazon.region, had, preparing);
    return { ...this.settings, sources };
  }

  get machinesMayAsk(): boolean {
    return this.settings.profile !== '';
  }

  async start(request: StartRequest): Promise<Ec2Instance> {
    const { environment, nonce } = request.tags;
    const key = `${environment} ${nonce}`;
    const going = this.#starting.get(key);
    if (going !== undefined) return await going;
    const starting = launch(this.amazon, this.#instances, request, () => this.#prepare(request));
    this.#starting.set(key, starting);
    try {
      return await starting;
    } finally {
      this.#starting.delete(key);
    }
  }

  async findByNonce(environment: string, nonce: string): Promise<Ec2Instance | null> {
    const [first] = await this.#instances.twins(environment, nonce);
    return first ?? null;
  }

  async describe(id: string): Promise<Ec2Instance | null> {
    return await this.#instances.find(id);
  }

  async health(instances: readonly string[]): Promise<readonly InstanceHealth[]> {
    return await this.#instances.health(instances);
  }

  async list(environment: string): Promise<readonly Ec2Instance[]> {
    return await this.#instances.list(environment);
  }

  async stop(id: string, options: { readonly graceMs?: number } = {}): Promise<Ec2Instance> {
    return await this.#instances.stop(id, options.graceMs);
  }

  async startAgain(id: string): Promise<Ec2Instance> {
    return await this.#instances.startAgain(id);
  }

  async terminate(id: string): Promise<Ec2Instance> {
    const ended = await this.#instances.terminate(id);
    await this.firewall.drop(ended);
    return ended;
  }

  async consoleLog(id: string): Promise<string> {
    return await this.#instances.consoleLog(id);
  }

  async boot(id: string): Promise<BootSeen> {
    return bootSeen(await this.consoleLog(id));
  }

  /** What carries the tag of any environment, whoever bootstrapped it, by the environment's UUID. */
  async tagged(): Promise<ReadonlyMap<string, TaggedThings>> {
    return await thingsOfAll(this.amazon, this.#groups);
  }

  /** All that carries the environment's tag, and its bucket; returns when a listing shows nothing. */
  async removeEnvironment(environment: string): Promise<void> {
    const { amazon, bucket } = this;
    await removeEnvironment({ amazon, instances: this.#instances, groups: this.#groups, bucket }, environment);
  }

  /** The instance type of a name, the smallest that is offered where none is named. */
  async typeNamed(name: string): Promise<Ec2Type> {
    const types = await this.types();
    const found = name === '' ? types[0] : types.find((type) => type.name === name);
    if (found !== undefined) return found;
    if (name !== '') return await findType(this.amazon, name, this.settings.diskGiB);
    throw new QuorateError('unknown-instance-type', `This region has none of ${this.settings.types.join(', ')}.`, {
      todo: 'Name other instance types with QUORATE_EC2_TYPES.',
    });
  }

  async imageFor(architecture: Architecture): Promise<Image> {
    const known = this.#images.get(architecture);
    const image = known ?? new Remembered(() => findImage(this.amazon, this.settings.image, architecture), SELDOM_MS);
    this.#images.set(architecture, image);
    return await image.get();
  }

  async #prepare(request: StartRequest) {
    const [{ vpc, subnets }, type] = await Promise.all([
      this.network.get(),
      this.typeNamed(request.instanceType ?? ''),
    ]);
    const subnet = subnets.find(({ zone }) => zone === request.zone);
    if (subnet === undefined) {
      throw new QuorateError('unknown-zone', `the VPC ${vpc} has no subnet in zone ${request.zone}`, {
        todo: `use ${subnets.map(({ zone }) => zone).join(', ')}`,
        exit: 2,
      });
    }
    const [image, group] = await Promise.all([
      this.imageFor(type.architecture),
      this.#groups.ofMachines(request.tags.environment, vpc),
    ]);
    const userData = this.render(request, type.architecture);
    return runInput({ ...request, userData }, { subnet: subnet.id, group, type, image }, this.settings);
  }
}
