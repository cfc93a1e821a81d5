import type { TemporalConnection } from '../src/boot/wire.js';
import type { ApiClient } from '../src/client/client.js';
import type { Cloud } from '../src/cloud/cloud.js';
import type { Store } from '../src/store/store.js';

/** What the activities on `-cloud` act with, on an operator's machine or on a controller. */
export interface CloudSide {
  /** The cloud of an environment, as it was bootstrapped. */
  cloudFor(environment: Target['environment']): Promise<Cloud>;
  /** A client of its API that may do what an admin may. @param besides host:port of API servers that nobody may have published */
  openClient(environment: Target['environment'], besides: readonly string[]): Promise<ApiClient>;
}

/** What only an operator's machine has: machine 0 is made with it. */
export interface OperatorSide extends CloudSide {
  readonly store: Store;
  /** How controllers shall reach Temporal (never an argument: it may hold a key). */
  readonly temporal: TemporalConnection;
}

export interface Target {
  readonly environment: { readonly name: string; readonly uuid: string };
}
