import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { QuorateError } from '../errors.js';

/**
 * How the CLI and machine 0 prove to each other that they know machine 0's boot token without sending it, before there is
 * a CA that both trust. The proofs are bound to the TLS session, so that someone in the middle, who has two sessions,
 * cannot pass them on; and to the CA, so that what is pinned afterwards is what the machine meant.
 */
export interface Transcript {
  readonly environment: string;
  readonly machine: string;
  readonly clientNonce: string;
  readonly machineNonce: string;
  /** Keying material exported from the TLS session. */
  readonly exporter: Buffer;
  /** The environment's CA certificate, PEM, exactly as sent. */
  readonly ca: string;
}

const EXPORTER_LABEL = 'EXPORTER-quorate-boot';
const KEY_LABEL = 'quorate boot proof 1';

/** The session's own secret, the same on both ends of one TLS 1.3 connection and on no other. */
export function exportSession(socket: TLSSocket): Buffer {
  if (socket.getProtocol() !== 'TLSv1.3') throw proofFailed();
  return socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0));
}

/** What the machine shows first. */
export function machineProof(token: string, transcript: Transcript): string {
  return prove(token, transcript.environment, [Buffer.from('machine'), encode(transcript)]);
}

/** What the CLI shows with its certificate request. */
export function clientProof(token: string, transcript: Transcript, request: string): string {
  return prove(token, transcript.environment, [Buffer.from('cli'), encode(transcript), sha256(request)]);
}

/** Compares in constant time; throws one and the same error whatever it was that differed. */
export function verifyProof(expected: string, shown: string): void {
  const a = Buffer.from(expected, 'hex');
  const b = Buffer.from(shown, 'hex');
  if (a.length !== b.length || !timingSafeEqual(a, b)) throw proofFailed();
}

/** The one answer to every failed proof: it does not say which part failed. */
export function proofFailed(): QuorateError {
  return new QuorateError('proof-failed', 'The other side did not prove that it knows the boot token.', {
    todo: 'If the environment is yours, destroy it and bootstrap again; somebody else may be listening at this address.',
  });
}

function prove(token: string, environment: string, parts: readonly Buffer[]): string {
  const key = hkdfSync('sha256', Buffer.from(token, 'hex'), environment, KEY_LABEL, 32);
  const mac = createHmac('sha256', Buffer.from(key));
  for (const part of parts) mac.update(part);
  return mac.digest('hex');
}

/** Each part after its length, so that no two transcripts have the same bytes. */
function encode(t: Transcript): Buffer {
  const parts = [t.environment, t.machine, t.clientNonce, t.machineNonce, t.exporter, sha256(t.ca)];
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part as string);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
