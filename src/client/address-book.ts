import type { AddressSet } from '../store/record.js';

/**
 * Which controllers there are and in what order they are dialled: who answered last goes to the front, who failed to the
 * end. Pure bookkeeping.
 */
export class AddressBook {
  #version: number;
  #addresses: string[];

  constructor(addresses: readonly string[], version = 0) {
    this.#addresses = [...new Set(addresses)];
    this.#version = version;
  }

  /** host:port of every API server known, the one to try first at the front. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  toFront(address: string): void {
    if (this.#addresses.includes(address)) this.#addresses = [address, ...without(this.#addresses, address)];
  }

  toEnd(address: string): void {
    if (this.#addresses.includes(address)) this.#addresses = [...without(this.#addresses, address), address];
  }

  /**
   * Takes over a published set and says whether it was news. An older set never replaces a newer one. Those who stay keep
   * their order, newcomers go to the end. An empty set is no set: nobody could be asked for the next one.
   */
  use(set: AddressSet): boolean {
    if (set.version <= this.#version || set.servers.length === 0) return false;
    const published = new Set(dialledOf(set));
    const staying = this.#addresses.filter((address) => published.has(address));
    this.#version = set.version;
    this.#addresses = [...new Set([...staying, ...published])];
    return true;
  }
}

/** host:port of all that may answer: of each server the address inside of its network, then the one outside. Pure. */
export function dialledOf({ servers }: Pick<AddressSet, 'servers'>): string[] {
  return servers.flatMap(({ api, public: outside }) => (outside === undefined ? [api] : [api, outside]));
}

function without(addresses: readonly string[], address: string): string[] {
  return addresses.filter((other) => other !== address);
}
