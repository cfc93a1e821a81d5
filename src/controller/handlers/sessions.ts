import { randomBytes } from 'node:crypto';
import { QuorateError } from '../../errors.js';
import { readAudit } from '../../state/audit.js';
import { closeSession, openSession } from '../../state/sessions.js';
import type { Handler } from '../call.js';
import { changeOf, WRITE_MS } from '../change.js';
import { LoginTries } from '../login-tries.js';
import { Passwords } from '../passwords.js';
import { tokenHash } from '../token-hash.js';

export const PASSWORDS = new Passwords();
export const TRIES = new LoginTries();

const DEFAULT_HOURS = 24;

/**
 * No change with an idempotency key: its answer is a secret that is not kept. Whoever lost the answer logs in again; the
 * token that nobody knows ends by itself.
 */
export const login: Handler<'login'> = async ({ state }, { body, address, claim }) => {
  const { user, password, hours = DEFAULT_HOURS } = body;
  TRIES.take(address, user, performance.now());
  const found = await state.users.findOne({ _id: user });
  if (found !== null) claim({ user });
  const right = await PASSWORDS.matches(password, found?.password ?? null);
  const token = `qrs_${randomBytes(32).toString('base64url')}`;
  const hash = tokenHash(token);
  const session = right && found !== null ? await openSession(state, found, { hash, hours }, WRITE_MS) : null;
  if (session === null) {
    throw new QuorateError('bad-login', 'This name and this password do not open this environment.', {
      todo: 'An admin can give another password (quorate change-password) or a role (quorate grant).',
    });
  }
  TRIES.giveBack(address, user, performance.now());
  return { token, user, role: session.role, expiresAt: session.expiresAt.toISOString() };
};

export const logout: Handler<'logout'> = async ({ state }, call) => {
  const { caller, request } = changeOf(call);
  if (caller.credential === null) {
    throw new QuorateError('no-token', 'This was called with a certificate: there is no token to void.', { exit: 2 });
  }
  await closeSession(state, { hash: caller.credential, request }, WRITE_MS);
  return {};
};

export const whoami: Handler<'whoami'> = async ({ config }, { caller }) => {
  if (caller === null) throw new Error('no caller');
  const { user, role, by, expiresAt } = caller;
  return { user, role, by, expiresAt: expiresAt.toISOString(), environment: config.environment };
};

export const audit: Handler<'audit'> = async ({ state }, { query: { user, limit = 50 } }) => ({
  entries: (await readAudit(state, user, limit)).map(({ _id, at, ...entry }) => ({ ...entry, at: at.toISOString() })),
});
