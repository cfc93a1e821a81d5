import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { endpointOf } from './dial.js';

/** Addresses that lead every machine to itself; the unspecified ones do too, where they are dialled. */
const OWN = new BlockList();
OWN.addSubnet('127.0.0.0', 8, 'ipv4');
OWN.addAddress('0.0.0.0', 'ipv4');
OWN.addAddress('::1', 'ipv6');
OWN.addAddress('::', 'ipv6');

/** Whether an IP address leads every machine to itself. Pure. */
export function isLoopbackIp(ip: string): boolean {
  const version = isIP(ip);
  return version !== 0 && OWN.check(ip, version === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Whether a Temporal's address leads every machine to itself, so that no other machine could reach it: as it is written, or
 * because its name stands for such addresses alone. A name that nobody knows is for whoever connects to complain of.
 */
export async function isLoopback(
  address: string,
  addressesOf: (host: string) => Promise<readonly string[]> = resolved,
): Promise<boolean> {
  const host = endpointOf(address).host.toLowerCase().replace(/\.$/, '');
  if (isIP(host) !== 0) return isLoopbackIp(host);
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  const addresses = await addressesOf(host);
  return addresses.length > 0 && addresses.every(isLoopbackIp);
}

async function resolved(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === 'getaddrinfo') return [];
    throw error;
  }
}
