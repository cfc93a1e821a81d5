import { damaged } from './record.js';

/** What somebody logged in with: a bearer token, until when, and whose. */
export interface Session {
  readonly user: string;
  readonly role: string;
  readonly token: string;
  /** ISO 8601, by the database's clock. */
  readonly expiresAt: string;
}

/** Takes apart the text of a session's file. */
export function parseSession(text: string, file: string): Session {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(file, 'it is not JSON');
  }
  const { user, role, token, expiresAt } = (value ?? {}) as Record<string, unknown>;
  const texts = [user, role, token, expiresAt];
  if (!texts.every((one) => typeof one === 'string') || Number.isNaN(Date.parse(String(expiresAt)))) {
    throw damaged(file, 'it holds no session');
  }
  return { user, role, token, expiresAt } as Session;
}
