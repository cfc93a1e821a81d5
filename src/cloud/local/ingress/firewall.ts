import type { Firewall, Ingress, Opened } from '../../cloud.js';
import type { Instances } from '../instances.js';
import { GatewayProcess } from './gateway-process.js';
import { publicAddressOf } from './public-address.js';

/**
 * The local cloud's firewall: each instance with exposed ports has a public address, at which the environment's gateway lets
 * in to those ports alone. The instances' own addresses are the environment's inside, in every kind of isolation.
 */
export class LocalFirewall implements Firewall {
  readonly #instances: Instances;

  constructor(instances: Instances) {
    this.#instances = instances;
  }

  async open(environment: string): Promise<readonly Ingress[]> {
    return await this.#gateway(environment).list();
  }

  async set({ instance, version, rules }: Ingress): Promise<Opened> {
    const environment = await this.#instances.environmentOf(instance);
    return await this.#instances.locked(environment, instance, async ({ record }) => {
      if (record.power === 'terminated') {
        await this.#gateway(environment).drop(instance);
        return { address: '', failures: [] };
      }
      const address = record.publicAddress ?? publicAddressOf(instance, await this.#taken());
      if (address !== record.publicAddress) await this.#instances.records.write({ ...record, publicAddress: address });
      const target = record.address;
      return await this.#gateway(environment).set({ instance, version, rules, address, target });
    });
  }

  /** An instance is gone for good. */
  async drop(environment: string, instance: string): Promise<void> {
    await this.#gateway(environment).drop(instance);
  }

  /** The environment is. */
  async end(environment: string): Promise<void> {
    await this.#gateway(environment).end();
  }

  /** Public addresses of all instances that were ever given one. */
  async #taken(): Promise<ReadonlySet<string>> {
    const { records } = this.#instances;
    const all = await Promise.all((await records.environments()).map((each) => this.#instances.all(each)));
    return new Set(all.flat().flatMap(({ publicAddress }) => publicAddress ?? []));
  }

  #gateway(environment: string): GatewayProcess {
    return new GatewayProcess(this.#instances.records.environmentDirectory(environment));
  }
}
