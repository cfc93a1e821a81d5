import { expect, test } from 'vitest';
import { endedSession } from './session.js';

const session = { user: 'bob', role: 'read', token: 'qrs_x', expiresAt: '2026-01-02T00:00:00.000Z' };

test('a session whose time is over says what to do, without its token', () => {
  expect(endedSession('demo', session, new Date('2026-01-01T23:59:59Z'))).toBeNull();
  const ended = endedSession('demo', session, new Date('2026-01-02T00:00:00Z'));
  expect(ended).toMatchObject({ code: 'session-ended', exit: 1 });
  expect(ended?.todo).toContain('quorate login bob -e demo');
  expect(`${ended?.message} ${ended?.todo}`).not.toContain('qrs_');
});
