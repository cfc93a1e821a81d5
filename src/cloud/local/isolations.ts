import { type Isolation, refuse } from './isolation.js';
import { type Subnet, subnetAround } from './namespace/subnet.js';
import type { InstanceRecord } from './records.js';

/** The host's own network and files: nothing to make, nothing to take away, and no link of its own that could fail. */
const processIsolation: Isolation = {
  kind: 'process',
  hostAddress: null,
  prepare: async () => undefined,
  accept: async () => undefined,
  launch: async ({ command, env }) => ({ command, env }),
  settled: async () => true,
  setLink: async ({ instance }) => refuse(instance),
  setDiskFull: async ({ instance }) => refuse(instance),
  clear: async () => undefined,
  remove: async () => undefined,
};

/** The isolation that an instance was made with. */
export function isolationOf({ isolation, address }: Pick<InstanceRecord, 'isolation' | 'address'>): Promise<Isolation> {
  return isolationIn(isolation === 'namespace' ? subnetAround(address) : null);
}

/** The isolation of an environment whose instances have this subnet, or none of their own. */
export async function isolationIn(subnet: Subnet | null): Promise<Isolation> {
  if (subnet === null) return processIsolation;
  // Most clouds never need it.
  const { namespaceIsolation } = await import('./namespace/isolation.js');
  return namespaceIsolation(subnet);
}
