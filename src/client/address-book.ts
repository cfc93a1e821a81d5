import type { AddressSet } from '../store/record.js';

/**
 * Which controllers there are and in what order they are dialled: who answered last goes to the front, who failed to the
 * end. Pure bookkeeping.
 */
export class AddressBook {
  #version: number;
  #addresses: string[];
  #former: readonly string[];

  constructor(addresses: readonly string[], version = 0, former: readonly string[] = []) {
    this.#addresses = [...new Set(addresses)];
    this.#version = version;
    this.#former = former;
  }

  /** host:port of every API server known, the one to try first at the front. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** Those of earlier sets (`formerAfter`): worth a try when nobody else answers. */
  get former(): readonly string[] {
    return this.#former;
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
    this.#former = formerAfter(this.#former, this.#addresses, [...published]);
    this.#addresses = [...new Set([...staying, ...published])];
    return true;
  }
}

/** So many are remembered of those that are not published any more: as many as an environment has controllers at most. */
const MOST_FORMER = 7;

/**
 * The addresses that were known before this set and are not in it, the latest first. While controllers leave, the set is that of
 * those that stay: when they are lost in the middle of it, one that was to leave stays instead. Pure.
 */
export function formerAfter(
  former: readonly string[],
  known: readonly string[],
  published: readonly string[],
): readonly string[] {
  const gone = [...new Set([...known, ...former])].filter((address) => !published.includes(address));
  return gone.slice(0, MOST_FORMER);
}

/** host:port of all that may answer: of each server the address inside of its network, then the one outside. Pure. */
export function dialledOf({ servers }: Pick<AddressSet, 'servers'>): string[] {
  return servers.flatMap(({ api, public: outside }) => (outside === undefined ? [api] : [api, outside]));
}

function without(addresses: readonly string[], address: string): string[] {
  return addresses.filter((other) => other !== address);
}
