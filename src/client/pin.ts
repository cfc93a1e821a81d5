import type { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { QuorateError, reasonOf, usageError } from '../errors.js';
import { serverName, subjectOf } from '../pki/certificate.js';
import { hostAndPort } from './host-port.js';

const DIAL_MS = 5000;

/** An environment as the certificates of one of its controllers show it. */
export interface Pinned {
  /** UUID */
  readonly environment: string;
  /** PEM */
  readonly ca: string;
}

/**
 * The CA of the environment whose controller answers at host:port, if it has the fingerprint that a person was told.
 * Nothing is sent; whoever dials next checks everything against that CA.
 */
export async function pinAuthority(address: string, fingerprint: string): Promise<Pinned> {
  const wanted = plainFingerprint(fingerprint);
  const leaf = await certificateAt(address);
  const ca = topOf(leaf);
  if (plainFingerprint(ca.fingerprint256) !== wanted) {
    throw new QuorateError(
      'foreign-ca',
      `${address} is refused: the CA there has the fingerprint ${ca.fingerprint256}, not the one that was given.`,
      { todo: 'Nothing was sent to it. Ask who gave you the fingerprint whether this is the right address.' },
    );
  }
  const { o: environment } = subjectOf(leaf.toString());
  const good = leaf.checkIssued(ca) && leaf.verify(ca.publicKey) && leaf.checkHost(serverName(environment));
  if (!good) throw new QuorateError('bad-certificate', `${address} shows no certificate of a controller.`);
  return { environment, ca: ca.toString() };
}

/** 64 hexadecimal digits, however they were written. */
export function plainFingerprint(text: string): string {
  const plain = text
    .trim()
    .replace(/^sha256:/i, '')
    .replaceAll(':', '')
    .toLowerCase();
  if (/^[0-9a-f]{64}$/.test(plain)) return plain;
  throw usageError(
    'bad-fingerprint',
    'this is no SHA-256 fingerprint of a CA.',
    'It is 64 hexadecimal digits, as `quorate add-user` prints it for the new user.',
  );
}

function topOf(leaf: X509Certificate): X509Certificate {
  let top = leaf;
  while (top.issuerCertificate !== undefined && top.issuerCertificate.fingerprint256 !== top.fingerprint256) {
    top = top.issuerCertificate;
  }
  return top;
}

function certificateAt(address: string): Promise<X509Certificate> {
  const { host, port } = hostAndPort(address);
  if (host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw usageError('bad-address', `'${address}' is no address of a controller.`, 'Say it as HOST:PORT.');
  }
  return new Promise((resolve, reject) => {
    // Looked at before it is trusted, and nothing is sent.
    const socket = connect({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.3', timeout: DIAL_MS });
    const fail = (error: unknown) => {
      socket.destroy();
      const message = `nobody answers at ${address}: ${reasonOf(error)}.`;
      reject(new QuorateError('no-controller', message, { todo: 'Is it the address of a controller’s API?' }));
    };
    socket.once('error', fail);
    socket.once('timeout', () => fail(new Error(`no answer in ${DIAL_MS / 1000} s`)));
    socket.once('secureConnect', () => {
      const shown = socket.getPeerX509Certificate();
      socket.destroy();
      if (shown === undefined) fail(new Error('it shows no certificate'));
      else resolve(shown);
    });
  });
}
