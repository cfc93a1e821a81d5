import { QuorateError } from '../errors.js';
import { once, type Request } from './requests.js';
import { persist } from './retry.js';
import { databaseTime, type State, transaction } from './state.js';
import type { UserDocument, UserRole } from './user-documents.js';

const HOUR_MS = 3_600_000;

/** A bearer token that somebody logged in for; only its hash is kept. */
export interface Session {
  readonly role: UserRole;
  readonly expiresAt: Date;
}

/**
 * Keeps the token of a user whose password was found to be right, if the user is still at the version that it was tried
 * against: writing the user's document makes one of two fail, this or a change of password, role or user at the same time.
 * null when that was changed, or the user has no role.
 */
export async function openSession(
  state: State,
  user: Pick<UserDocument, '_id' | 'version'>,
  token: { readonly hash: string; readonly hours: number },
  limitMs?: number,
): Promise<Session | null> {
  const now = await databaseTime(state);
  const expiresAt = new Date(now.getTime() + token.hours * HOUR_MS);
  const attempt = () =>
    transaction(state, async (session): Promise<Session | null> => {
      const { _id, version } = user;
      const found = await state.users.findOneAndUpdate({ _id, version }, { $set: { lastLoginAt: now } }, { session });
      if (found === null || found.role === null) return null;
      // An earlier try may have been made without its answer coming through.
      const there = await state.credentials.findOne({ _id: token.hash }, { session });
      if (there !== null) return { role: there.role, expiresAt: there.expiresAt };
      const { role } = found;
      await state.credentials.insertOne({ _id: token.hash, user: _id, role, createdAt: now, expiresAt }, { session });
      return { role, expiresAt };
    });
  return await persist(state, attempt, limitMs);
}

/** Voids one token. */
export async function closeSession(
  state: State,
  { hash, request }: { readonly hash: string; readonly request: Request },
  limitMs?: number,
): Promise<void> {
  await once(
    state,
    request,
    async (session) => {
      const { deletedCount } = await state.credentials.deleteOne({ _id: hash }, { session });
      if (deletedCount === 0) throw new QuorateError('bad-login', 'This token is void already.');
      return {};
    },
    limitMs,
  );
}
