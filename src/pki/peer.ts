import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** What the certificate shown says of who is at the other end of a connection. Says nothing about who signed it. */
export interface Peer {
  /** As `getPeerCertificate` has it, for `subjectFrom`. */
  readonly subject: object;
  readonly expiresAt: Date;
}

/** A connection shows one certificate, whatever is asked over it. */
const PEERS = new WeakMap<TLSSocket, Peer>();

/**
 * The other end's certificate; null where it showed none, or the connection is gone already. `getPeerCertificate` takes
 * apart all that is in it, which was a fifth of what a connection costs.
 */
export function peerOf(socket: TLSSocket): Peer | null {
  const known = PEERS.get(socket);
  if (known !== undefined) return known;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const peer = { subject: subjectIn(certificate), expiresAt: new Date(certificate.validTo) };
  PEERS.set(socket, peer);
  return peer;
}

/** One name a line, and no character in it that would have to be escaped: whatever else there is, Node takes apart. */
const PLAIN = /^(CN|OU|O)=([\w.@ -]+)$/;

export function subjectIn(certificate: X509Certificate): object {
  const parts = certificate.subject.split('\n').map((line) => PLAIN.exec(line));
  const names = Object.fromEntries(parts.map((part) => [part?.[1] ?? '', part?.[2]]));
  const plain = parts.length === 3 && Object.keys(names).length === 3 && !('' in names);
  return plain ? names : certificate.toLegacyObject().subject;
}
