import type { MachineId } from '../src/membership/types.js';
import type { Identity } from '../src/pki/identity.js';
import type { KeyFiles } from '../src/pki/key-files.js';
import type { Observer } from '../src/replicaset/observe.js';
import type { Epoch } from '../src/state/fence.js';
import type { PresenceObserver } from '../src/state/presence-observer.js';
import type { State } from '../src/state/state.js';

/** What the activities of a controller's worker act with; made once by the worker (workers/controller.ts). */
export interface Network {
  readonly environment: { readonly name: string; readonly uuid: string };
  readonly key: string;
  /** The environment's documents, as `CN=state`. */
  readonly state: State;
  /** The replica set's members, as `CN=membership`. */
  readonly observer: Observer;
  /** Members that this controller knew when it started; the machines of the documents come on top. */
  readonly hosts: readonly string[];
  /** This machine itself: only its own worker may force its own mongod. */
  readonly self: {
    readonly machine: MachineId;
    readonly identity: Identity;
    /** Where the last forced config is recorded; its path is the name of the lock. */
    readonly recordFile: string;
    /** Whom this controller trusts (PEM), and its keys. */
    readonly caFile: string;
    readonly keys: KeyFiles;
  };
  /** The epoch that this worker was started in: every transaction checks it. */
  readonly fence: Epoch;
  /** How long each agent has been silent, on this process's own clock. */
  readonly presence: PresenceObserver;
}
