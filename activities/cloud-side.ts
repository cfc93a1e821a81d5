import type { Cloud } from '../src/cloud/cloud.js';
import type { Store } from '../src/store/store.js';

/** What the activities on `-cloud` act with. */
export interface CloudSide {
  readonly store: Store;
  /** The cloud of an environment, by its kind and region. */
  readonly cloudOf: (kind: string, region: string) => Promise<Cloud>;
}

export interface Target {
  readonly environment: { readonly name: string; readonly uuid: string };
}
