import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { QuorateError } from '../errors.js';
import { fingerprint } from './certificate.js';

/**
 * Whom an environment trusts: one CA, or two while it is rotated. As PEM in one text, the one that issues first; everything
 * that checks certificates (mongod, Node, the driver) takes such a text for its CA.
 */

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** What OpenSSL says of a certificate that leads to no CA that is trusted. */
export const UNTRUSTED: ReadonlySet<string> = new Set([
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** The certificates of a PEM text, each on its own, in their order. */
export function certificatesIn(pem: string): string[] {
  return (pem.match(CERTIFICATE) ?? []).map((certificate) => `${certificate}\n`);
}

/** Whether the first certificate of `pem` was signed by this CA. Says nothing about its time. */
export function isIssuedBy(pem: string, authority: string): boolean {
  const [certificate, ca] = [new X509Certificate(pem), new X509Certificate(authority)];
  return certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
}

/** Asks of certificates whether one of these CAs has signed them, as `isIssuedBy` does; the CAs are taken apart once. */
export function issuedByOneOf(trusted: string): (certificate: X509Certificate) => boolean {
  const authorities = certificatesIn(trusted).map((pem) => new X509Certificate(pem));
  const known = authorities.map((ca) => ({ ca, key: ca.publicKey }));
  return (certificate) => known.some(({ ca, key }) => certificate.checkIssued(ca) && certificate.verify(key));
}

/** The one of these CAs that a private key belongs to, or null. */
export function authorityOf(key: string, trusted: string): string | null {
  const own = createPrivateKey(key);
  return certificatesIn(trusted).find((pem) => new X509Certificate(pem).checkPrivateKey(own)) ?? null;
}

/**
 * The CA that this key issues by, if that is the one that is to issue. `wanted`: what the environment's documents trust; null
 * where they say nothing, as before the first rotation.
 */
export function issuingOf(key: string, trusted: string, wanted: string | null): string | null {
  const own = authorityOf(key, trusted);
  if (own === null || wanted === null) return own;
  return fingerprint(own) === fingerprint(issuerIn(wanted)) ? own : null;
}

/** The CA that issues: the first one. */
export function issuerIn(trusted: string): string {
  const [first] = certificatesIn(trusted);
  if (first === undefined) throw new QuorateError('bad-certificate', 'there is no CA among what is trusted.');
  return first;
}

/** What was read of PEM texts, so that two processes can say that they mean the same. */
export function digestOf(...pems: readonly string[]): string {
  const hash = createHash('sha256');
  for (const pem of pems) hash.update(`${pem.length}\n${pem}`);
  return hash.digest('hex');
}
