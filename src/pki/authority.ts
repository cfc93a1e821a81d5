import 'reflect-metadata';
import { createHash, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { QuorateError, reasonOf } from '../errors.js';
import { type Subject, serverName } from './certificate.js';

export { expiresAt, fingerprint, mongoSubject, type Subject, subjectOf } from './certificate.js';

x509.cryptoProvider.set(webcrypto);

/**
 * The environment's certificate authority: EC P-256, one for each environment, the only secret there is.
 * Nothing here reads or writes files.
 */
export interface Authority {
  /** PEM */
  readonly certificate: string;
  /** PKCS#8 PEM */
  readonly key: string;
}

export interface IssueOptions {
  /** Certificate request, PEM: its signature is checked, its public key taken and everything else in it ignored. */
  readonly request?: string;
  /** Or a public key, SPKI PEM. */
  readonly publicKey?: string;
  readonly subject: Subject;
  /** IP addresses for the SAN. */
  readonly addresses?: readonly string[];
  /** DNS names for the SAN. */
  readonly names?: readonly string[];
  readonly days?: number;
}

const KEY = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Certificates start an hour back: the machines' clocks need not agree better than that. */
const BACKDATE = HOUR;

/**
 * A new authority for the environment of this UUID.
 * @param key PKCS#8 PEM, where it is there already; else a new one is made
 */
export async function createAuthority(environment: string, key?: string): Promise<Authority> {
  const keys =
    key === undefined ? await webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify']) : await pairOf(key);
  const name = nameOf([
    ['O', environment],
    // Each CA has a name of its own: two of one environment are trusted beside each other while one follows the other.
    ['CN', `Quorate CA ${randomBytes(3).toString('hex')} ${serverName(environment)}`],
  ]);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm: SIGNATURE,
    notBefore: new Date(now - BACKDATE),
    notAfter: new Date(now + 3650 * DAY),
    extensions: [
      // One below it: the next CA, which it vouches for.
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: key ?? (await exportKey(keys.privateKey)) };
}

/**
 * A certificate by this CA that says that another one's key is a CA too. Whoever trusts this one alone and is shown it finds
 * the other one's certificates good: so who was away while both were trusted still knows the environment again.
 */
export async function vouchFor(authority: Authority, other: string): Promise<string> {
  const [ca, next] = [new x509.X509Certificate(authority.certificate), new x509.X509Certificate(other)];
  const certificate = await x509.X509CertificateGenerator.create({
    subject: next.subjectName,
    issuer: ca.subjectName,
    notBefore: next.notBefore,
    notAfter: ca.notAfter,
    publicKey: next.publicKey,
    signingKey: await importKey(authority.key),
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(next.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
    ],
  });
  return pem(certificate);
}

/** Issues a certificate for the key of a request or for a public key. The subject is the caller's, never the request's. */
export async function issue(authority: Authority, options: IssueOptions): Promise<string> {
  const { subject, addresses = [], names = [], days = 365 } = options;
  checkSubject(subject);
  const ca = new x509.X509Certificate(authority.certificate);
  const publicKey = await publicKeyOf(options);
  const signingKey = await importKey(authority.key);
  const alternatives: x509.JsonGeneralNames = [
    ...addresses.map((value) => ({ type: 'ip', value }) as const),
    ...names.map((value) => ({ type: 'dns', value }) as const),
  ];
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.create({
    // The order of encoding is the reverse of RFC 2253's text: this one reads CN=…,OU=…,O=… (see `mongoSubject`).
    subject: nameOf([
      ['O', subject.o],
      ['OU', subject.ou],
      ['CN', subject.cn],
    ]),
    issuer: ca.subjectName,
    notBefore: new Date(now - BACKDATE),
    notAfter: new Date(Math.min(now + days * DAY, ca.notAfter.getTime())),
    publicKey,
    signingKey,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      // Operators only ever dial; everyone else also answers: members each other, agents and services the API's callers.
      new x509.ExtendedKeyUsageExtension(
        subject.ou === 'operator'
          ? [x509.ExtendedKeyUsage.clientAuth]
          : [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
      ),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
      ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : []),
    ],
  });
  return pem(certificate);
}

/** A new key and a certificate for it, for who holds the authority anyway. */
export async function issueWithKey(
  authority: Authority,
  options: Omit<IssueOptions, 'request' | 'publicKey'>,
): Promise<{ certificate: string; key: string }> {
  const { key, request } = await createKeyAndRequest();
  return { certificate: await issue(authority, { ...options, request }), key };
}

/** A new key and a request that proves possession of it. It names nobody: the issuer decides the subject. */
export async function createKeyAndRequest(): Promise<{ key: string; request: string }> {
  const keys = await webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: nameOf([['CN', 'quorate']]),
    keys,
    signingAlgorithm: SIGNATURE,
  });
  return { key: await exportKey(keys.privateKey), request: pem(request) };
}

/** SHA-256 of the public key (SPKI) of a certificate or request, hex. */
export function publicKeyHash(certificateOrRequest: string): string {
  const key = certificateOrRequest.includes('REQUEST-----')
    ? parseRequest(certificateOrRequest).publicKey
    : new x509.X509Certificate(certificateOrRequest).publicKey;
  return createHash('sha256').update(Buffer.from(key.rawData)).digest('hex');
}

async function publicKeyOf({ request, publicKey }: IssueOptions): Promise<x509.PublicKey> {
  let key: x509.PublicKey;
  if (request !== undefined) {
    const parsed = parseRequest(request);
    const proven = await parsed.verify().catch(() => false);
    if (!proven) throw badRequest('its signature does not belong to its key');
    key = parsed.publicKey;
  } else if (publicKey !== undefined) {
    key = new x509.PublicKey(publicKey);
  } else {
    throw new TypeError('issue() needs a request or a public key');
  }
  const { name, namedCurve } = key.algorithm as webcrypto.EcKeyAlgorithm;
  if (name !== KEY.name || namedCurve !== KEY.namedCurve) throw badRequest('its key is not EC P-256');
  return key;
}

function parseRequest(request: string): x509.Pkcs10CertificateRequest {
  try {
    return new x509.Pkcs10CertificateRequest(request);
  } catch (error) {
    throw badRequest(reasonOf(error));
  }
}

function badRequest(reason: string): QuorateError {
  return new QuorateError('bad-certificate-request', `the certificate request is refused: ${reason}.`);
}

/** X.520 bounds names at 64 characters; a name with control characters is somebody's trick. */
function checkSubject(subject: Subject): void {
  for (const value of [subject.cn, subject.o]) {
    if (value.length < 1 || value.length > 64 || /\p{Cc}/u.test(value)) {
      throw new QuorateError('bad-certificate-request', `no certificate can be issued for ${JSON.stringify(value)}.`);
    }
  }
}

function nameOf(parts: readonly (readonly [string, string])[]): x509.Name {
  return new x509.Name(parts.map(([type, value]) => ({ [type]: [{ utf8String: value }] })));
}

function importKey(key: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(key), KEY, false, ['sign']);
}

async function pairOf(key: string): Promise<webcrypto.CryptoKeyPair> {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return {
    privateKey: await importKey(key),
    publicKey: await webcrypto.subtle.importKey('spki', publicKey, KEY, true, ['verify']),
  };
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const exported = await webcrypto.subtle.exportKey('pkcs8', key);
  return `${x509.PemConverter.encode(exported, x509.PemConverter.PrivateKeyTag)}\n`;
}

function pem(thing: { toString(format: 'pem'): string }): string {
  return `${thing.toString('pem')}\n`;
}
