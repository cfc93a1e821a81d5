import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** A private network, 10.x.y.0/20, which one environment has to itself. */
export interface Subnet {
  /** Network address and length, as `10.7.16.0/20`. */
  readonly cidr: string;
  readonly prefix: number;
  /** The host's own address in it: how instances reach the operator's machine. */
  readonly gateway: string;
  /** The n-th instance's address (from 1); null when there are no more. */
  instance(n: number): string | null;
  /** Whether it has addresses in common with another network. */
  overlaps(this: void, other: Range): boolean;
}

/** First and last address as numbers. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

const PREFIX = 20;
const SIZE = 2 ** (32 - PREFIX);
/** Of the third number, what belongs to the network. */
const THIRD = 256 - SIZE / 256;

export function subnetAt(base: readonly [number, number]): Subnet {
  const first = numberOf(`10.${base[0]}.${base[1]}.0`);
  const range = { first, last: first + SIZE - 1 };
  return {
    cidr: `${addressOf(first)}/${PREFIX}`,
    prefix: PREFIX,
    gateway: addressOf(first + 1),
    // Neither the network's address, nor the gateway, nor the broadcast address.
    instance: (n) => (first + 1 + n < range.last ? addressOf(first + 1 + n) : null),
    overlaps: (other) => other.first <= range.last && range.first <= other.last,
  };
}

/** The subnet that an instance's address lies in. */
export function subnetAround(address: string): Subnet {
  const [, second = 0, third = 0] = address.split('.').map(Number);
  return subnetAt([second, third & THIRD]);
}

/** Where an environment may live, best first: from its UUID, so that two environments rarely want the same. */
export function subnetsFor(environment: string): [number, number][] {
  const hash = createHash('sha256').update(environment).digest();
  return Array.from({ length: hash.length / 2 }, (_, i) => [hash.readUInt8(2 * i), hash.readUInt8(2 * i + 1) & THIRD]);
}

export function contains(cidr: string, address: string): boolean {
  const [network = '', prefix = ''] = cidr.split('/');
  const size = 2 ** (32 - Number(prefix));
  return Math.floor(numberOf(address) / size) === Math.floor(numberOf(network) / size);
}

/** Networks that this machine has routes into; the default route is none. */
export async function takenNetworks(): Promise<Range[]> {
  return routesIn(await readFile('/proc/net/route', 'utf8'));
}

/** The table of /proc/net/route: destination and mask are words in the machine's (little-endian) order, in hex. */
export function routesIn(table: string): Range[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, destination, , , , , , mask] = line.split('\t');
      if (destination === undefined || mask === undefined || Number.parseInt(mask, 16) === 0) return [];
      const first = swapped(destination);
      return [{ first, last: first + (2 ** 32 - 1 - swapped(mask)) }];
    });
}

const swapped = (hex: string): number => Buffer.from(hex, 'hex').readUInt32LE();

export function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function addressOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
