import { QuorateError } from '../errors.js';
import type { EnvironmentRecord, Session, Store } from '../store/store.js';
import type { ApiClient, TlsFiles } from './client.js';
import { clientOf, openClient } from './open.js';

/** What a person is let in with. */
export interface Access {
  readonly tls: TlsFiles;
  readonly token?: string;
}

/**
 * The session that was logged in to, without any certificate, so that it is what counts; else the certificate. null: this
 * machine has neither. Throws `session-ended`.
 */
export async function accessOf(store: Store, name: string): Promise<Access | null> {
  const session = await store.session(name);
  if (session === null) return await certificateOf(store, name);
  const ca = await store.authority(name);
  if (ca === null) return null;
  const ended = endedSession(name, session, new Date());
  if (ended !== null) throw ended;
  return { tls: { ca }, token: session.token };
}

async function certificateOf(store: Store, name: string): Promise<Access | null> {
  const tls = await store.credentials(name);
  return tls === null ? null : { tls };
}

/** A client for a person's commands; programs of ours use `openClient`, and the certificate. */
export async function openPersonsClient(store: Store, record: EnvironmentRecord): Promise<ApiClient> {
  const access = await accessOf(store, record.name);
  // Certificates are looked after there.
  if (access?.token === undefined) return await openClient(store, record.name);
  return clientOf(store, record, access);
}

/** The refusal of a session whose time is over; null while it is not. Pure. */
export function endedSession(environment: string, { user, expiresAt }: Session, now: Date): QuorateError | null {
  if (Date.parse(expiresAt) > now.getTime()) return null;
  return new QuorateError('session-ended', `your login to ${environment} as ${user} ended at ${expiresAt}.`, {
    todo: `Log in again: quorate login ${user} -e ${environment}      or go back to your certificate: quorate logout -e ${environment}`,
  });
}
