import type { Identity } from '../pki/identity.js';
import { adminCommand, directClient } from './connect.js';

/**
 * Has a running mongod read its certificate file anew: new connections, its own to other members included, show what lies
 * there now, and it trusts the CAs that lie there now. Connections that are there stay, and nothing is restarted. `identity`: the member's own (OU=member).
 */
export async function rotateCertificates(host: string, identity: Identity): Promise<void> {
  const client = directClient(host, identity, { maxPoolSize: 1 });
  try {
    await adminCommand(client, { rotateCertificates: 1, message: 'the certificates in its files are others' });
  } finally {
    await client.close();
  }
}
