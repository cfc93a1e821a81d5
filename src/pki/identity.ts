import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { MongoClientOptions } from 'mongodb';

/** PEM texts: the environment's CA, and the certificate (and key) that logs in to its MongoDB. */
export interface Identity {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Reads a certificate and its key; `ca` is what it goes with. */
export async function readIdentity(
  ca: string,
  files: { readonly certificate: string; readonly key: string },
): Promise<Identity> {
  const [certificate, key] = await Promise.all([readFile(files.certificate, 'utf8'), readFile(files.key, 'utf8')]);
  return { ca, certificate, key };
}

/** One for each identity, shared by all clients that were made with it. */
const CONTEXTS = new WeakMap<Identity, SecureContext>();

/**
 * TLS and the login. The certificates are parsed once here; given as texts, the driver parses them again for every socket.
 */
export function login(identity: Identity): MongoClientOptions {
  const secureContext = CONTEXTS.get(identity) ?? contextOf(identity);
  CONTEXTS.set(identity, secureContext);
  return { tls: true, secureContext, authMechanism: 'MONGODB-X509', authSource: '$external' };
}

/**
 * Every client that was made with `identity` shows `next` from its next connection on, and trusts whom `next` trusts. The
 * driver holds on to the context that it was given, so what is in it changes; connections that are there stay.
 */
export function exchange(identity: Identity, next: Identity): void {
  const context = CONTEXTS.get(identity);
  if (context !== undefined) context.context = contextOf(next).context;
  Object.assign(identity, next);
}

function contextOf({ ca, certificate, key }: Identity): SecureContext {
  return createSecureContext({ ca, cert: certificate, key });
}
