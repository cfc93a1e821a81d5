import { createHash } from 'node:crypto';

/**
 * Addresses that an instance may be reachable at from outside, best first. They are loopback addresses in 127.255.0.0/16,
 * where no instance ever is (`basesFor`): so they can be had in every kind of isolation, and without rights. The same each
 * time for one instance; the last net is left out, which holds the broadcast address.
 */
export function publicAddressesFor(instance: string): string[] {
  const hash = createHash('sha256').update(`public\0${instance}`).digest();
  return Array.from(
    { length: hash.length / 2 },
    (_, i) => `127.255.${hash.readUInt8(2 * i) % 255}.${1 + (hash.readUInt8(2 * i + 1) % 254)}`,
  );
}

/** The one that it gets: the first that no other instance has. */
export function publicAddressOf(instance: string, taken: ReadonlySet<string>): string {
  const candidates = publicAddressesFor(instance);
  // With all of them taken two instances share one, which only matters when they expose the same port.
  return candidates.find((address) => !taken.has(address)) ?? (candidates[0] as string);
}
