import { expect, test } from 'vitest';
import { ROUTES, type RouteName } from '../api/routes.js';
import { type Answered, auditEntry } from './audited.js';
import type { Caller } from './login.js';

const ana: Caller = { user: 'ana', role: 'write', machine: null, by: 'token', credential: 'c', expiresAt: new Date(0) };

const answered = (name: RouteName, fields: Partial<Answered> = {}): Answered => ({
  name,
  route: ROUTES[name],
  url: ROUTES[name].path,
  caller: ana,
  claimed: null,
  address: '::ffff:127.0.0.1',
  requestId: 'r-0',
  status: 200,
  code: '',
  ...fields,
});

test('a change says who, what, from where and with what result; never its query', () => {
  expect(auditEntry(answered('deleteSetting', { url: '/v1/settings/x-a?version=3', requestId: 'r-1' }))).toEqual({
    user: 'ana',
    role: 'write',
    by: 'token',
    from: '127.0.0.1',
    route: 'deleteSetting',
    method: 'DELETE',
    target: '/v1/settings/x-a',
    requestId: 'r-1',
    status: 200,
    code: '',
  });
});

test.each<[string, Answered, boolean]>([
  ['a change that was refused', answered('putSetting', { status: 409, code: 'conflict' }), true],
  ['a change by nobody', answered('putSetting', { caller: null, status: 401 }), false],
  ['reading', answered('status'), false],
  ['reading that is refused', answered('users', { status: 403, code: 'not-allowed' }), true],
  ['the next certificate', answered('renew'), true],
  ['a login', answered('login', { caller: null, claimed: { user: 'ana' } }), true],
  ['a failed login', answered('login', { caller: null, status: 401 }), true],
  ['a login that was not tried', answered('login', { caller: null, status: 429 }), false],
  ['a login that was not understood', answered('login', { caller: null, status: 400 }), false],
])('%s: %#', (_, answer, kept) => {
  expect(auditEntry(answer) !== null).toBe(kept);
});

test('a name that nobody has is not kept: it may be a password', () => {
  expect(auditEntry(answered('login', { caller: null, claimed: { user: '' }, status: 401 }))).toMatchObject({
    user: '',
    by: 'nothing',
  });
  expect(auditEntry(answered('login', { caller: null, claimed: { user: 'ana' }, status: 401 }))).toMatchObject({
    user: 'ana',
    by: 'password',
  });
});

test('a long path is cut', () => {
  const entry = auditEntry(answered('putSetting', { url: `/v1/settings/${'x'.repeat(500)}` }));
  expect(entry?.target).toHaveLength(200);
});
