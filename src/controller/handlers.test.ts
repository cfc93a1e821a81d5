import { expect, test } from 'vitest';
import { STATUS_OF_CODE } from '../api/errors.js';
import { ROUTES, type Route } from '../api/routes.js';
import { HANDLERS } from './handlers.js';

test('every route has a handler or is a WebSocket', () => {
  for (const [name, route] of Object.entries<Route>(ROUTES)) expect(name in HANDLERS).toBe(route.socket !== true);
});

test('what changes something needs a login and carries an idempotency key', () => {
  for (const route of Object.values<Route>(ROUTES)) {
    // Their answer is all that they make; the public key is their idempotency key.
    if (['/v1/enrol', '/v1/renew', '/v1/login'].includes(route.path)) continue;
    expect(route.change === true, route.path).toBe(route.method !== 'GET');
    if (route.change) expect(route.may).not.toBe('anyone');
  }
});

test('who may write may read, and admins may all that people may', () => {
  for (const { may, path } of Object.values<Route>(ROUTES)) {
    if (may === 'anyone') continue;
    if (may.includes('read')) expect(may, path).toContain('write');
    if (may.includes('write')) expect(may, path).toContain('admin');
  }
});

test('codes are answered with errors', () => {
  for (const status of Object.values(STATUS_OF_CODE)) expect(status).toBeGreaterThanOrEqual(400);
});
