import { createHmac } from 'node:crypto';
import { QuorateError, usageError } from '../../errors.js';
import type { Request } from '../../state/requests.js';
import { databaseTime } from '../../state/state.js';
import * as users from '../../state/users.js';
import { readBootKey } from '../boot-key.js';
import type { Controller, Handler } from '../call.js';
import { changeOf, WRITE_MS } from '../change.js';
import type { Caller } from '../login.js';
import { PASSWORDS, TRIES } from './sessions.js';

export const listUsers: Handler<'users'> = async ({ state }) => ({
  users: (await state.users.find().sort({ _id: 1 }).toArray()).map(users.tellUser),
});

export const addUser: Handler<'addUser'> = async (controller, call) => {
  const { caller, request } = changeOf(call);
  const { name, role, password } = call.body;
  refuseMachineName(name);
  const [hash, now, sealed] = await Promise.all([
    PASSWORDS.hash(password),
    databaseTime(controller.state),
    sealRequest(controller, request),
  ]);
  const given = { user: name, role, password: hash, by: caller.user, now, request: sealed };
  return await users.addUser(controller.state, given, WRITE_MS);
};

export const grant: Handler<'grant'> = async ({ state }, call) =>
  await users.setRole(state, { ...userChangeOf(call), role: call.body.role }, WRITE_MS);

export const revoke: Handler<'revoke'> = async ({ state }, call) =>
  await users.setRole(state, { ...userChangeOf(call), role: null }, WRITE_MS);

export const removeUser: Handler<'removeUser'> = async ({ state }, call) => {
  await users.removeUser(state, userChangeOf(call), WRITE_MS);
  return {};
};

/** Anybody's own, with the present one; an admin anybody else's. */
export const putPassword: Handler<'putPassword'> = async (controller, call) => {
  const { caller, request } = changeOf(call);
  const user = call.params.name ?? '';
  const own = caller.user === user && caller.by === 'token';
  if (!own && caller.role !== 'admin') {
    throw new QuorateError('not-allowed', `${caller.user} (${caller.role}) may not change the password of ${user}.`, {
      todo: `It takes ${user}, or an admin.`,
    });
  }
  const version = own ? await checkedVersion(controller, user, call.body.current, call.address) : undefined;
  const [password, sealed] = await Promise.all([PASSWORDS.hash(call.body.password), sealRequest(controller, request)]);
  const given = { user, password, request: sealed, ...(version === undefined ? {} : { version }) };
  return await users.setPassword(controller.state, given, WRITE_MS);
};

/** The version of the user whose present password this is: whoever found an open session cannot take it over for good. */
async function checkedVersion(
  { state }: Controller,
  user: string,
  current: string | undefined,
  address: string,
): Promise<number> {
  const found = await state.users.findOne({ _id: user });
  if (found === null) throw users.noUser(user);
  if (current === undefined) {
    throw usageError('bad-request', 'Your own password is changed only with the present one.', 'Send it as `current`.');
  }
  TRIES.take(address, user, performance.now());
  if (!(await PASSWORDS.matches(current, found.password))) {
    throw new QuorateError('wrong-password', 'The present password is another one; nothing was changed.');
  }
  TRIES.giveBack(address, user, performance.now());
  return found.version;
}

/**
 * What is remembered of a request that holds a password: a plain hash of it would be a way to guess the password, one under
 * the boot key is none.
 */
async function sealRequest({ config }: Controller, { key, fingerprint }: Request): Promise<Request> {
  const sealing = Buffer.from(await readBootKey(config), 'hex');
  return { key, fingerprint: createHmac('sha256', sealing).update(`request\0${fingerprint}`).digest('hex') };
}

function userChangeOf(call: {
  readonly params: Readonly<Record<string, string>>;
  readonly caller: Caller | null;
  readonly request: Request | null;
}): users.UserChange {
  const { caller, request } = changeOf(call);
  return { user: call.params.name ?? '', request, certified: caller.by === 'certificate' };
}

/** Agents go by these names in the audit log. */
function refuseMachineName(name: string): void {
  if (!/^machine-\d+$/.test(name)) return;
  throw usageError('bad-user', `${name} is the name of a machine’s agent.`, 'Take another name.');
}
