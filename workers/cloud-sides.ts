import { cloudActivities } from '../activities/cloud.js';
import type { CloudSide, OperatorSide } from '../activities/cloud-side.js';
import { firewallActivities } from '../activities/firewall.js';
import { instanceActivities } from '../activities/instances.js';
import { leftoverActivities } from '../activities/leftovers.js';
import type { TemporalConnection } from '../src/boot/wire.js';
import { dialledOf } from '../src/client/address-book.js';
import { ApiClient } from '../src/client/client.js';
import { openClient } from '../src/client/open.js';
import { openCloud } from '../src/cloud/open.js';
import { QuorateError } from '../src/errors.js';
import { log } from '../src/log/log.js';
import type { Identity } from '../src/pki/identity.js';
import { readAddresses } from '../src/state/addresses.js';
import type { EnvironmentDocument } from '../src/state/documents.js';
import type { State } from '../src/state/state.js';
import type { Store } from '../src/store/store.js';

const onWait = (sentence: string) => log().warn(sentence);

/** The side of an operator's machine: what its store knows of an environment, and the operator's certificate. */
export function operatorSide(store: Store, temporal: TemporalConnection): OperatorSide {
  return {
    store,
    temporal,
    cloudFor: async ({ name }) => {
      const record = await store.readEnvironment(name);
      if (record === null) throw new QuorateError('no-environment', `The store holds no environment ${name}.`);
      return await openCloud(record, { localCloud: store.dirs.localCloud, onWait });
    },
    openClient: ({ name }, besides) => openClient(store, name, besides),
  };
}

/**
 * The side of a controller, where machines may ask the cloud themselves: what its documents say, and the certificate by
 * which controllers' own programs are known.
 */
export function controllerSide(
  state: State,
  { cloud, region, cloudSettings, url }: EnvironmentDocument,
  tls: Identity,
): CloudSide {
  const place = { cloud, region, ...(cloudSettings === undefined ? {} : { cloudSettings }) };
  return {
    // The local cloud's files are no controller's to know.
    cloudFor: () => openCloud(place, { localCloud: '', onWait }),
    openClient: async (environment, besides) => {
      const set = await readAddresses(state);
      const addresses = [...dialledOf(set), ...besides];
      return new ApiClient({ environment, addresses, addressesVersion: set.version, url, tls });
    },
  };
}

/** What is done on the cloud by whoever may ask it, on an operator's machine and on controllers alike. */
export function askingActivities(side: CloudSide) {
  return {
    ...cloudActivities(side),
    ...instanceActivities(side),
    ...leftoverActivities(side),
    ...firewallActivities(side),
  };
}
