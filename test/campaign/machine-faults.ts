import type { Instance } from '../../src/cloud/cloud.js';
import { Ec2Site } from '../support/sites/ec2.js';
import { LocalSite } from '../support/sites/local.js';
import type { CloudState, MachineState, Manner } from './acts.js';
import { Ec2Faults } from './ec2-faults.js';
import type { Ground } from './ground.js';
import { LocalFaults } from './local-faults.js';

/** What is done to an instance, and what takes it back. */
export interface MachineFault {
  readonly begin: (id: string) => Promise<unknown>;
  readonly end: (id: string) => Promise<unknown>;
}

/** What only a cloud's own means can do to its machines, or to whoever asks it; the schedule draws what there is (terrain.ts). */
export interface CloudFaults {
  /** @param peers IDs of all instances */
  machine(state: MachineState, manner: Manner, peers: () => Promise<readonly string[]>): MachineFault;
  /** Nothing that was done to the machine lasts, whoever did it; harmless where nothing was. */
  mend(instance: Instance): Promise<void>;
  /** Whoever asks the cloud from now on; null: is answered well again. */
  answer(state: CloudState | null): void;
}

/** Those of the cloud that an environment is on. */
export function faultsAt({ site }: Ground): CloudFaults {
  if (site instanceof LocalSite) return new LocalFaults(site);
  if (site instanceof Ec2Site) return new Ec2Faults(site);
  throw new Error('nobody says what befalls machines there');
}

/** Whom a partitioned machine is cut off from: everybody, `host`, or the next instance of the environment. */
export async function peerOf(
  id: string,
  { from }: Manner,
  peers: () => Promise<readonly string[]>,
): Promise<'everybody' | 'host' | { readonly instance: string }> {
  if (from !== 'another') return from;
  const ids = await peers();
  const instance = ids[(ids.indexOf(id) + 1) % ids.length];
  return instance === undefined || instance === id ? 'everybody' : { instance };
}
