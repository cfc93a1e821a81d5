import { isIP, isIPv4 } from 'node:net';
import { type QuorateError, usageError } from '../errors.js';

/** Everybody, over IPv4 and IPv6. */
export const EVERYWHERE: readonly string[] = ['0.0.0.0/0', '::/0'];

const HOW = 'Say networks as 10.0.0.0/8 or 2001:db8::/32, single addresses as 192.0.2.7/32.';

/** Networks as they are typed, several to a word with commas between them; each once. Everywhere where none is named. */
export function parseCidrs(words: readonly string[]): string[] {
  const named = words.flatMap((word) => word.split(',')).map((word) => word.trim().toLowerCase());
  if (words.length > 0 && named.every((word) => word === '')) throw bad('No network is named.');
  const cidrs = [...new Set(named.filter((word) => word !== ''))];
  for (const cidr of cidrs) refuseBadCidr(cidr);
  return cidrs.length === 0 ? [...EVERYWHERE] : cidrs;
}

/** Refuses what names no network, or an address in the middle of one. */
export function refuseBadCidr(cidr: string): void {
  const shown = cidr.slice(0, 60);
  const [, address = '', length = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(cidr) ?? [];
  const kind = isIP(address);
  if (kind === 0) {
    const alone = isIP(cidr);
    throw bad(`'${shown}' is no network.`, alone === 0 ? HOW : `Say ${shown}/${alone === 4 ? 32 : 128}.`);
  }
  const bits = kind === 4 ? 32 : 128;
  if (Number(length) > bits) throw bad(`'${shown}' is no network: its length is more than ${bits}.`);
  if (!isIPv4(address)) return;
  const first = networkOf(address, Number(length));
  if (first !== address) {
    throw bad(`${shown} begins in the middle of a network.`, `Is ${first}/${length} meant, or ${address}/32?`);
  }
}

/** The first address of the network of that length that an IPv4 address is in. */
function networkOf(address: string, length: number): string {
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - length);
  const first = number - (number % size);
  return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
}

const bad = (message: string, todo = HOW): QuorateError => usageError('bad-cidr', message, todo);
