import { X509Certificate } from 'node:crypto';
import { QuorateError, reasonOf } from '../errors.js';

/**
 * Reading certificates, with Node's own parser: who only reads (CLI, client, agent) does not load the library that issues.
 */

export const ORGANIZATIONAL_UNITS = ['member', 'agent', 'service', 'operator'] as const;
/** What a certificate is for. MongoDB takes everyone who shares O and OU with a member for a member. */
export type OrganizationalUnit = (typeof ORGANIZATIONAL_UNITS)[number];

export interface Subject {
  readonly cn: string;
  readonly ou: OrganizationalUnit;
  /** Environment UUID. */
  readonly o: string;
}

/** The name that everyone who dials an environment's API checks: the environment, not the address, is who answers. */
export function serverName(environment: string): string {
  return `${environment}.quorate`;
}

/** SHA-256 of the certificate, colon-separated hex. */
export function fingerprint(pem: string): string {
  return parse(pem).fingerprint256;
}

/** Whom the certificate names; refuses one that is not of our kind. Says nothing about who signed it. */
export function subjectOf(pem: string): Subject {
  return subjectFrom(parse(pem).toLegacyObject().subject);
}

/** The same for a subject as `tls.TLSSocket.getPeerCertificate()` gives it. */
export function subjectFrom(subject: object): Subject {
  const { CN: cn, OU: ou, O: o } = subject as Record<'CN' | 'OU' | 'O', unknown>;
  const unit = ORGANIZATIONAL_UNITS.find((known) => known === ou);
  if (typeof cn !== 'string' || typeof o !== 'string' || unit === undefined) {
    throw new QuorateError('bad-certificate', 'the certificate does not name one CN, one O and a known OU.');
  }
  return { cn, ou: unit, o };
}

/** The name of the `$external` user that MongoDB makes of a certificate: the subject by RFC 2253. */
export function mongoSubject(subject: Subject): string {
  return `CN=${escapeValue(subject.cn)},OU=${escapeValue(subject.ou)},O=${escapeValue(subject.o)}`;
}

export function expiresAt(pem: string): Date {
  return new Date(parse(pem).validTo);
}

/** Whether so little of a certificate's life is left, less than a third, that it is time for the next one. */
export function dueForRenewal(notBefore: Date, notAfter: Date, now: Date): boolean {
  return notAfter.getTime() - now.getTime() < (notAfter.getTime() - notBefore.getTime()) / 3;
}

/** The same of a certificate, now. */
export function isDue(pem: string): boolean {
  const { validFrom, validTo } = parse(pem);
  return dueForRenewal(new Date(validFrom), new Date(validTo), new Date());
}

/** Whether whoever dials the environment's API takes this certificate for one of its servers'. */
export function servesApi(pem: string, environment: string): boolean {
  return parse(pem).checkHost(serverName(environment)) !== undefined;
}

/** The certificate and the key of a PEM text that holds both, in this order. */
export function splitPem(pem: string): { certificate: string; key: string } {
  const at = pem.search(/-----BEGIN [A-Z ]*PRIVATE KEY-----/);
  return at < 0 ? { certificate: pem, key: '' } : { certificate: pem.slice(0, at), key: pem.slice(at) };
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new QuorateError('bad-certificate', `this is not a certificate: ${reasonOf(error)}.`, { cause: error });
  }
}

function escapeValue(value: string): string {
  return value.replace(/[,+"\\<>;]/g, '\\$&').replace(/^[ #]| $/g, '\\$&');
}
