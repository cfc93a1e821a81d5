import { randomUUID } from 'node:crypto';
import type { Enrolled, Renew } from '../api/access.js';
import type { ApiClient } from './client.js';

/** The next certificate in the name of the one that the client shows, with its new key. Nothing is kept here. */
export async function renewCertificate(
  client: ApiClient,
  timeoutMs?: number,
): Promise<{ certificate: string; key: string }> {
  const { createKeyAndRequest } = await import('../pki/authority.js');
  const { key, request } = await createKeyAndRequest();
  const body: Renew = { request };
  const idempotencyKey = randomUUID();
  const options = { body, idempotencyKey, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  const answer = await client.request<Enrolled>('POST', '/v1/renew', options);
  return { certificate: answer.body.certificate, key };
}
