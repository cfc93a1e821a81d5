import { randomUUID } from 'node:crypto';
import type { Link } from '../../../src/cloud/local/isolation.js';
import { namespaceIsolation } from '../../../src/cloud/local/namespace/isolation.js';
import { bridgeOf, hardwareAddressOf, linkOf } from '../../../src/cloud/local/namespace/names.js';
import { type Subnet, subnetAt, subnetsFor, takenNetworks } from '../../../src/cloud/local/namespace/subnet.js';
import type { Cable } from '../bare/machine.js';

/**
 * A network that bare machines share with this host, of an address range that nobody else here has. It is a bridge, as an
 * environment of the local cloud has one; a reaper removes it by the directory that it is said to belong to.
 */
export class BareNetwork {
  private constructor(
    private readonly name: string,
    readonly subnet: Subnet,
  ) {}

  /** @param directory below that of a test */
  static async make(directory: string): Promise<BareNetwork> {
    const name = randomUUID();
    const taken = await takenNetworks();
    const subnet = subnetsFor(name)
      .map(subnetAt)
      .find(({ overlaps }) => !taken.some(overlaps));
    if (subnet === undefined) throw new Error('this machine has routes into every private network that was tried');
    await namespaceIsolation(subnet).prepare(name, directory);
    return new BareNetwork(name, subnet);
  }

  /** This host's own address there. */
  get gateway(): string {
    return this.subnet.gateway;
  }

  cableOf(instance: string, address: string): Cable {
    return {
      bridge: bridgeOf(this.name),
      link: linkOf(instance),
      hardwareAddress: hardwareAddressOf(instance),
      address: `${address}/${this.subnet.prefix}`,
    };
  }

  /** Cuts a machine's cable, makes it slow or lossy, or heals it; a machine that is switched on again has a new one. */
  async setLink(instance: string, directory: string, leader: number, link: Link): Promise<void> {
    const running = { instance, environment: this.name, directory, leader };
    await namespaceIsolation(this.subnet).setLink(running, link);
  }

  async remove(): Promise<void> {
    await namespaceIsolation(this.subnet).remove(this.name);
  }
}
