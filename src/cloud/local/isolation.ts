import { QuorateError } from '../../errors.js';
import type { Conditions } from './conditions.js';
import type { Drop } from './namespace/filter.js';

/**
 * `process`: instances are groups of processes of the host. `namespace`: each also has a network, a root filesystem and a
 * process table of its own.
 */
export type IsolationKind = 'process' | 'namespace';

/** One start of an instance. */
export interface Boot {
  readonly instance: string;
  readonly environment: string;
  /** The instance's own directory. */
  readonly directory: string;
  /** The local cloud's root: other instances are there, whom it must not see. */
  readonly root: string;
  readonly address: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly conditions: Conditions;
  readonly drops: readonly Drop[];
}

/** An instance that runs. */
export interface Running extends Pick<Boot, 'instance' | 'environment' | 'directory'> {
  /** Process ID of its leader. */
  readonly leader: number;
}

/** How a running instance's link shall be. */
export interface Link {
  readonly drops: readonly Drop[];
  readonly delayMs: number;
  readonly lossPercent: number;
}

/** What separates an instance from its host. All of it may be done again, and after a crash in the middle. */
export interface Isolation {
  readonly kind: IsolationKind;
  /** Where instances reach the host; null when its loopback is theirs too. */
  readonly hostAddress: string | null;
  /** What an environment's instances share; `directory` is where it lies on disk. */
  prepare(environment: string, directory: string): Promise<void>;
  /** Refuses conditions that could not be had at the next start. */
  accept(conditions: Conditions): Promise<void>;
  /** What is started as the leader of an instance's processes, and with which variables. */
  launch(boot: Boot): Promise<Pick<Boot, 'command' | 'env'>>;
  /** Resolves when a started instance has all that it shall have; false when its leader ended before. */
  settled(instance: string, leaderLives: () => Promise<boolean>): Promise<boolean>;
  setLink(running: Running, link: Link): Promise<void>;
  /** Takes all the space that is left on a disk of limited size, or gives it back. */
  setDiskFull(running: Running, full: boolean): Promise<void>;
  /** Removes what is left outside of an instance's processes, which are gone, and of its directory. */
  clear(instance: string): Promise<void>;
  /** Removes what `prepare` made. */
  remove(environment: string): Promise<void>;
}

/** Refuses what only instances with namespaces can have. */
export function refuse(instance: string): never {
  throw new QuorateError(
    'not-isolated',
    `instance ${instance} shares the network, the clock and the disk of this machine (isolation process)`,
    { todo: 'this needs an environment of its own kind: quorate bootstrap local/namespace NAME', exit: 2 },
  );
}
