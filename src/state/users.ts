import type { ClientSession } from 'mongodb';
import { QuorateError } from '../errors.js';
import { advanceEnvironment, stale } from './fence.js';
import { aliveEnvironment } from './machines.js';
import { once, type Request } from './requests.js';
import type { State } from './state.js';
import type { PasswordHash, UserDocument, UserRole } from './user-documents.js';

/** Users, and the transactions that change them. Whatever changes a password or a role voids the user's tokens with it. */

/** A user without what is kept of the password, as JSON has it. */
export interface ToldUser {
  readonly name: string;
  readonly role: UserRole | null;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly lastLoginAt: string;
  readonly version: number;
}

export function tellUser({ _id: name, role, createdAt, createdBy, lastLoginAt, version }: UserDocument): ToldUser {
  return {
    name,
    role,
    createdAt: createdAt.toISOString(),
    createdBy,
    lastLoginAt: lastLoginAt?.toISOString() ?? '',
    version,
  };
}

/** One change of a user. */
export interface UserChange {
  readonly user: string;
  readonly request: Request;
  /** Whoever asks has a certificate, and so stays an admin whatever becomes of the users. */
  readonly certified: boolean;
}

/** Adds a user. Throws `user-exists`. */
export async function addUser(
  state: State,
  given: {
    readonly user: string;
    readonly role: UserRole;
    readonly password: PasswordHash;
    readonly by: string;
    /** The database's time. */
    readonly now: Date;
    readonly request: Request;
  },
  limitMs?: number,
): Promise<ToldUser> {
  const { user: _id, role, password, by: createdBy, now: createdAt, request } = given;
  const added: UserDocument = { _id, role, password, createdAt, createdBy, lastLoginAt: null, version: 1 };
  return await once(
    state,
    request,
    async (session) => {
      await aliveEnvironment(state, session);
      if ((await state.users.findOne({ _id }, { session })) !== null) throw userExists(_id);
      await state.users.insertOne(added, { session });
      return tellUser(added);
    },
    limitMs,
  );
}

/** Gives a user a role, or takes it (null); with the role that is there already nothing is changed. */
export async function setRole(
  state: State,
  { user, role, ...change }: UserChange & { readonly role: UserRole | null },
  limitMs?: number,
): Promise<ToldUser> {
  return await once(
    state,
    change.request,
    async (session) => {
      const before = await existing(state, session, user);
      if (before.role === role) return tellUser(before);
      await keepAnAdmin(state, session, before, change.certified);
      return tellUser(await changeUser(state, session, before, { role }));
    },
    limitMs,
  );
}

/** @param version the user must still be at; left out where that does not matter. Throws `stale`. */
export async function setPassword(
  state: State,
  given: {
    readonly user: string;
    readonly password: PasswordHash;
    readonly version?: number;
    readonly request: Request;
  },
  limitMs?: number,
): Promise<ToldUser> {
  const { user, password, version, request } = given;
  return await once(
    state,
    request,
    async (session) => {
      await aliveEnvironment(state, session);
      const before = await existing(state, session, user);
      if (version !== undefined && version !== before.version) throw changedMeanwhile(user);
      return tellUser(await changeUser(state, session, before, { password }));
    },
    limitMs,
  );
}

export async function removeUser(
  state: State,
  { user, request, certified }: UserChange,
  limitMs?: number,
): Promise<void> {
  await once(
    state,
    request,
    async (session) => {
      const before = await existing(state, session, user);
      await keepAnAdmin(state, session, before, certified);
      const { _id, version } = before;
      const { deletedCount } = await state.users.deleteOne({ _id, version }, { session });
      if (deletedCount === 0) throw changedMeanwhile(user);
      await state.credentials.deleteMany({ user }, { session });
      return {};
    },
    limitMs,
  );
}

async function existing(state: State, session: ClientSession, user: string): Promise<UserDocument> {
  const found = await state.users.findOne({ _id: user }, { session });
  if (found === null) throw noUser(user);
  return found;
}

async function changeUser(
  state: State,
  session: ClientSession,
  before: UserDocument,
  fields: Partial<Pick<UserDocument, 'role' | 'password'>>,
): Promise<UserDocument> {
  const { _id, version } = before;
  const next = { ...fields, version: version + 1 };
  const { matchedCount } = await state.users.updateOne({ _id, version }, { $set: next }, { session });
  if (matchedCount === 0) throw changedMeanwhile(_id);
  await state.credentials.deleteMany({ user: _id }, { session });
  return { ...before, ...next };
}

/**
 * Refuses to take the role of the last admin among the users from who is no admin without it. The environment's version
 * rises, so that of two admins who take each other's role at once one is refused.
 */
async function keepAnAdmin(
  state: State,
  session: ClientSession,
  { _id, role }: UserDocument,
  certified: boolean,
): Promise<void> {
  const environment = await aliveEnvironment(state, session);
  if (role !== 'admin') return;
  const others = await state.users.countDocuments({ _id: { $ne: _id }, role: 'admin' }, { session });
  if (others === 0 && !certified) {
    throw new QuorateError('last-admin', `${_id} is the last admin among the users; nothing was changed.`, {
      todo: 'Make somebody else an admin first, or do it with an operator’s certificate.',
    });
  }
  await advanceEnvironment(state, session, environment, {});
}

export function noUser(user: string): QuorateError {
  return new QuorateError('not-found', `There is no user ${user}.`, { todo: 'See which there are: quorate users.' });
}

function userExists(user: string): QuorateError {
  return new QuorateError('user-exists', `There is a user ${user} already; nothing was changed.`, {
    todo: `Another role: quorate grant ${user} ROLE. Another password: quorate change-password ${user}.`,
  });
}

const changedMeanwhile = (user: string): QuorateError => stale(`${user} has been changed meanwhile`);
