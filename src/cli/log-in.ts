import { randomUUID } from 'node:crypto';
import type { Token } from '../api/access.js';
import type { LogIn } from '../api/users.js';
import type { ApiClient } from '../client/client.js';
import { clientOf } from '../client/open.js';
import { QuorateError } from '../errors.js';
import type { EnvironmentRecord, Session, Store } from '../store/store.js';

/** Asks for a token. Sent again when an answer is lost: it does no harm twice, a token that nobody knows ends by itself. */
export async function askForToken(client: ApiClient, wanted: LogIn): Promise<Session> {
  const options = { body: wanted, idempotencyKey: randomUUID(), timeoutMs: 30_000 };
  return (await client.request<Token>('POST', '/v1/login', options)).body;
}

/** Logs in to an environment of the store, and keeps the session there. */
export async function logInHere(store: Store, record: EnvironmentRecord, wanted: LogIn): Promise<Session> {
  const ca = await store.authority(record.name);
  if (ca === null) {
    throw new QuorateError('not-enrolled', `${record.name} is not known well enough here to log in to it.`, {
      todo: 'Name a controller and the fingerprint of its CA: quorate login NAME HOST:PORT --ca-fingerprint …',
    });
  }
  const client = clientOf(store, record, { tls: { ca } });
  try {
    const session = await askForToken(client, wanted);
    await store.writeSession(record.name, session);
    return session;
  } finally {
    await client.close();
  }
}
