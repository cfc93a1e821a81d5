import { createSecureContext } from 'node:tls';
import type { MongoClientOptions } from 'mongodb';

/** PEM texts: the environment's CA, and the certificate (and key) that logs in to its MongoDB. */
export interface Identity {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** TLS and the login. The certificates are parsed once here; given as texts, the driver parses them again for every socket. */
export function login({ ca, certificate, key }: Identity): MongoClientOptions {
  const secureContext = createSecureContext({ ca, cert: certificate, key });
  return { tls: true, secureContext, authMechanism: 'MONGODB-X509', authSource: '$external' };
}
