import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAudit } from '../../src/state/audit.js';
import { insertOnce } from '../../src/state/insert-once.js';
import type { State } from '../../src/state/state.js';
import type { AuditDocument } from '../../src/state/user-documents.js';
import { SeededSet } from '../support/mongo.js';

let seeded: SeededSet;
let state: State;

beforeAll(async () => {
  seeded = await SeededSet.start(1);
  ({ state } = seeded);
});

afterAll(() => seeded?.[Symbol.asyncDispose]());

const entry = (target: string): AuditDocument => ({
  ...{ _id: randomUUID(), at: new Date(), user: 'ana', role: 'admin', by: 'token', from: '127.0.0.1', machine: '0' },
  ...{ route: 'putSetting', method: 'PUT', target, requestId: 'r', status: 200, code: '' },
});

test('what is no entry keeps none of the others from being written, also when all are sent again', async () => {
  const [first, second, third] = [entry('/1'), entry('/2'), entry('/3')];
  // As of a request whose connection was gone before anybody asked where it came from.
  const none = { ...entry('/none'), from: undefined } as unknown as AuditDocument;
  expect(await insertOnce(state.audit, [first, none, second])).toBe(1);
  expect(await insertOnce(state.audit, [first, none, second, third])).toBe(1);
  expect(await insertOnce(state.audit, [third])).toBe(0);
  expect((await readAudit(state, 'ana', 10)).map(({ target }) => target).sort()).toEqual(['/1', '/2', '/3']);
});
