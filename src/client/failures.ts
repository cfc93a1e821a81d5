import { QuorateError, reasonOf } from '../errors.js';
import type { AddressSet } from '../store/record.js';
import { dialledOf } from './address-book.js';

/** What reading the fallback URL came to. */
export type Published = { readonly set: AddressSet } | { readonly failed: string } | null;

/** One sentence for "nobody answers": who was tried, why each failed, what the published addresses were. */
export function noController(
  environment: string,
  failures: ReadonlyMap<string, string>,
  published: Published,
  url: string | undefined,
): QuorateError {
  const tried = failures.size > 0 ? `Tried ${triedAddresses(failures)}` : 'No address is known';
  const todo = url?.startsWith('file:')
    ? 'See what the cloud says with: quorate cloud list; start one with: quorate cloud start MACHINE'
    : 'Look at its instances in the console of your cloud, and at this machine’s network.';
  return new QuorateError(
    'no-controller',
    `no controller of ${environment} answers. ${tried}${alsoPublished(failures, published)}.`,
    {
      todo,
    },
  );
}

/** The error for a change that may have been done: it was sent, its answer was lost, and it has no idempotency key. */
export function unknownOutcome(method: string, path: string, machine: string): QuorateError {
  return new QuorateError(
    'unknown-outcome',
    `${method} ${path} was sent to machine ${machine}, which was lost before it answered.`,
    {
      todo: 'It may have been done or not: look before you do it again.',
    },
  );
}

/** The error for a request that a controller took and did not answer in time. */
export function tooLate(method: string, path: string, machine: string, timeoutMs: number): QuorateError {
  return new QuorateError(
    'timed-out',
    `${method} ${path} was not answered within ${timeoutMs / 1000} s; machine ${machine} was asked last.`,
    {
      todo: 'See how the controllers are with: quorate status',
    },
  );
}

/** Why an address could not be dialled, in a word or two. */
export function dialFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return WORDS[code] ?? reasonOf(error);
}

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'closed at once',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENOTFOUND: 'unknown host',
  EADDRNOTAVAIL: 'no such address on this machine',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: is a clock wrong?',
  ERR_TLS_CERT_ALTNAME_INVALID: 'another environment',
  'foreign-ca': 'another CA',
};

/** Addresses that failed in the same way stand together, those with the same port share it. */
function triedAddresses(failures: ReadonlyMap<string, string>): string {
  const byReason = new Map<string, string[]>();
  for (const [address, reason] of failures) byReason.set(reason, [...(byReason.get(reason) ?? []), address]);
  return [...byReason].map(([reason, addresses]) => `${shortened(addresses)} (${reason})`).join(', ');
}

function shortened(addresses: readonly string[]): string {
  const ports = new Set(addresses.map((address) => address.slice(address.lastIndexOf(':'))));
  if (ports.size > 1) return addresses.join(', ');
  return addresses
    .map((address, index) => (index === addresses.length - 1 ? address : address.slice(0, address.lastIndexOf(':'))))
    .join(', ');
}

const COUNTS = ['none', 'the same one', 'the same two', 'the same three'];

function alsoPublished(failures: ReadonlyMap<string, string>, published: Published): string {
  if (published === null) return '';
  if ('failed' in published) return ` and the published addresses (${published.failed})`;
  const addresses = dialledOf(published.set);
  const news = addresses.filter((address) => !failures.has(address));
  const what = news.length > 0 ? news.join(', ') : (COUNTS[addresses.length] ?? `the same ${addresses.length}`);
  return ` and the published addresses (${what})`;
}
