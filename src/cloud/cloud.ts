import type { InstanceType } from '../machines/instance-type.js';
import type { PortRule } from '../machines/ports.js';

/**
 * What every cloud can do. All calls are idempotent and safe to make late or twice; none keeps state in memory.
 * A third cloud is a folder beside `local` that implements this.
 */

export type InstanceState = 'pending' | 'running' | 'stopping' | 'stopped' | 'paused' | 'terminated';

/** Tags that every instance carries from its creation, so that leftovers can always be found. */
export interface InstanceTags {
  /** Environment UUID. */
  readonly environment: string;
  /** Machine ID. */
  readonly machine: string;
  /** Decided before anything is started; one nonce, one instance. */
  readonly nonce: string;
}

export interface Instance {
  readonly id: string;
  readonly state: InstanceState;
  readonly tags: InstanceTags;
  readonly zone: string;
  /** Name of its instance type; absent or empty where nobody knows it. */
  readonly type?: string;
  /** The address that members and agents dial; empty until the cloud has given one. */
  readonly address: string;
  /** Where those outside of the cloud's network dial, if that is elsewhere; empty where there is none. */
  readonly publicAddress?: string;
  /** Ports of the two listeners on that address (fixed on clouds where each instance has an address of its own). */
  readonly ports: { readonly api: number; readonly mongo: number };
  /** Who caused the last state: `user` for a console or an API call from outside, `self` for the machine itself, `cloud`. */
  readonly cause: string;
  /** ISO 8601, for people. */
  readonly startedAt: string;
}

/** What the cloud sees of a running instance from outside. */
export interface InstanceHealth {
  /** Instance ID. */
  readonly instance: string;
  /** `failing` when its hardware or its system does not answer the cloud; `unknown` while that is not known yet. */
  readonly checks: 'passing' | 'failing' | 'unknown';
  /** ISO 8601: when the cloud is going to stop or end it by itself; empty where it is not. */
  readonly retiresAt: string;
}

export interface StartRequest {
  readonly tags: InstanceTags;
  /** Opaque to the cloud; identical bytes for identical tags. It may hold a one-time token: mode 0600, shredded by the machine. */
  readonly userData: string;
  readonly zone: string;
  /** Name of one of the cloud's instance types; absent: the cloud chooses. */
  readonly instanceType?: string;
}

/** An object of the bucket; its version is part of it. */
export interface Versioned {
  readonly version: number;
}

/** What lies in the bucket under a name, whoever wrote it. */
export interface BucketObject {
  readonly name: string;
  readonly ageMs: number;
}

/** The environment's private bucket: what its machines can read when no controller answers. */
export interface Bucket {
  /** Where an object is read, known before it is written. */
  url(environment: string, name: string): string;
  /**
   * Writes the object whole or not at all; false when this version or a newer one is there already. Compared and written as
   * one act (a lock, or `If-Match`): an old version never overwrites a newer one, whoever is late.
   */
  put(environment: string, name: string, object: Versioned): Promise<boolean>;
  /** All that lies there, left-overs of writers that died included; empty where nothing was ever written. */
  list(environment: string): Promise<readonly BucketObject[]>;
  /** Removes an object; harmless when it is gone already. */
  remove(environment: string, name: string): Promise<void>;
}

/** What is let in from outside to an instance, as a security group says it: everything else is refused. */
export interface Ingress {
  /** Instance ID. */
  readonly instance: string;
  /** Whoever sets one is later than whoever set a lower one. */
  readonly version: number;
  readonly rules: readonly PortRule[];
}

/** What came of setting it. */
export interface Opened {
  /** The address that the ports are reachable at from outside; empty where there is none. */
  readonly address: string;
  /** One sentence for each range that is not open as a whole, and why. */
  readonly failures: readonly string[];
}

/** What comes in from outside of the cloud. */
export interface Firewall {
  /** What is open now, whoever opened it; instances with nothing open may be left out. */
  open(environment: string): Promise<readonly Ingress[]>;
  /**
   * Opens these ports of an instance and closes all others, connections through them too. Idempotent; where a higher version
   * was set already nothing is changed. A terminated instance has nothing open.
   */
  set(ingress: Ingress): Promise<Opened>;
}

/**
 * How an environment lies on its cloud, besides the region: what its first operator's settings said, and what was fixed
 * then. JSON that the cloud alone understands, kept with the environment, so that whoever opens the cloud opens the same.
 */
export type CloudSettings = Readonly<Record<string, unknown>>;

/** How far the boot of a machine is, by its console. */
export interface BootSeen {
  /** What it did last, and what the machine said of it; empty while it has said nothing. */
  readonly step: string;
  /** Why it does not come up, one sentence; empty while nothing is known to be wrong. */
  readonly fault: string;
  /** Its agent was started. */
  readonly done: boolean;
}

export interface Preparing {
  /** The directory of downloaded servers. */
  readonly toolchain: string;
  /** Told what is waited for, in a sentence. */
  readonly onProgress: (sentence: string) => void;
}

export interface Cloud {
  /** `local`, `ec2`. */
  readonly kind: string;
  readonly bucket: Bucket;
  readonly firewall: Firewall;
  /**
   * Puts where instances get it what an environment's instances boot with, before the first is started; idempotent. Answers
   * the settings that are to be kept with the environment from then on. A cloud whose instances have it all needs no such act.
   */
  prepare?(environment: string, preparing: Preparing): Promise<CloudSettings>;
  /** Where instances can be spread, at least one. */
  zones(): Promise<readonly string[]>;
  /** What sizes of instances it has, at least one. */
  instanceTypes(): Promise<readonly InstanceType[]>;
  /**
   * Looks for the nonce first; starts only when no instance carries it. Returns the one that is there. Throws `zone-full`
   * when the zone has no room, and then has started nothing.
   */
  start(request: StartRequest): Promise<Instance>;
  /** Whether machines may ask the cloud themselves, by a role of their own: controllers then start and end instances. */
  readonly machinesMayAsk: boolean;
  /** By nonce; null when none was ever started or its record is gone. Terminated ones are still found for a while. */
  findByNonce(environment: string, nonce: string): Promise<Instance | null>;
  describe(id: string): Promise<Instance | null>;
  /**
   * What it sees of these instances, by ID; of those that do not run it has nothing to say. A hundred are one call at most.
   * A cloud without such checks has no such method.
   */
  health?(instances: readonly string[]): Promise<readonly InstanceHealth[]>;
  /** All of an environment, terminated ones included while the cloud still shows them. */
  list(environment: string): Promise<readonly Instance[]>;
  /** Power button: asks the machine to shut down, and after `graceMs` cuts its power. It can start again. */
  stop(id: string, options?: { readonly graceMs?: number }): Promise<Instance>;
  startAgain(id: string): Promise<Instance>;
  /** Gone for good, with its disk. Resolves when the cloud confirms it. */
  terminate(id: string): Promise<Instance>;
  /** The machine's console: what its start script and agent printed. */
  consoleLog(id: string): Promise<string>;
  /** How far a machine's boot is; a cloud whose machines boot within a second has no such thing to tell. */
  boot?(id: string): Promise<BootSeen>;
  /** Terminates all that is left of an environment and removes whatever else is kept for it. Resolves when nothing is left. */
  removeEnvironment(environment: string): Promise<void>;
}
