import { randomUUID } from 'node:crypto';
import type { User } from '../api/users.js';
import type { ApiClient } from '../client/client.js';
import { usageError } from '../errors.js';
import type { UserRole } from '../state/user-documents.js';

const ROLES: readonly UserRole[] = ['read', 'write', 'admin'];

/** The role that was typed. */
export function roleNamed(text: string): UserRole {
  const role = ROLES.find((known) => known === text);
  if (role !== undefined) return role;
  throw usageError('bad-role', `there is no role '${text}'.`, `A role is one of: ${ROLES.join(', ')}.`);
}

/** Path of a user, or of what belongs to one. */
export function userPath(name: string, part: '' | '/role' | '/password' = ''): string {
  return `/v1/users/${encodeURIComponent(name)}${part}`;
}

/** One change of a user, made once. */
export async function changeUser(
  client: ApiClient,
  method: 'PUT' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<User> {
  const options = { idempotencyKey: randomUUID(), ...(body === undefined ? {} : { body }) };
  return (await client.request<User>(method, path, options)).body;
}
