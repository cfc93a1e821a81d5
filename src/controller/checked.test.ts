import { Type } from '@sinclair/typebox';
import { describe, expect, test } from 'vitest';
import { checked, isDeeperThan } from './checked.js';

const schema = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  seconds: Type.Optional(Type.Number()),
  force: Type.Optional(Type.Boolean()),
  name: Type.Optional(Type.String()),
});

test.each([
  [
    { limit: '5', seconds: '0.5', force: 'true', name: '7' },
    { limit: 5, seconds: 0.5, force: true, name: '7' },
  ],
  [{ force: 'false' }, { force: false }],
  [{}, {}],
  [{ other: 'x' }, { other: 'x' }],
])('a query of texts is what it says: %j', (query, typed) => {
  expect(checked(schema, query, 'query')).toEqual(typed);
});

test.each([
  { limit: 'true' },
  { limit: '1e2' },
  { limit: ' 5' },
  { limit: '0x5' },
  { limit: '9'.repeat(400) },
  { limit: ['1', '2'] },
  { limit: '' },
  { seconds: 'Infinity' },
  { seconds: 'true' },
  { force: '1' },
  { force: 'TRUE' },
  { name: ['a', 'b'] },
])('what only looks like it is refused: %j', (query) => {
  expect(() => checked(schema, query, 'query')).toThrow(/^The query\/\w+ is not as it must be/);
});

test('a body is taken as it is', () => {
  expect(() => checked(schema, { limit: '5' }, 'body')).toThrow(/^The body\/limit is not as it must be/);
});

describe('depth', () => {
  const nested = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);

  test('is counted', () => {
    expect([isDeeperThan(3, nested(3)), isDeeperThan(3, nested(4)), isDeeperThan(3, [[nested(3)]])]).toEqual([
      false,
      false,
      true,
    ]);
    expect(isDeeperThan(0, 'text')).toBe(false);
  });

  test('beyond all measure is refused in words', () => {
    const body = nested(30_000);
    expect(() => checked(Type.Object({ name: Type.Unknown() }), { name: body }, 'body')).toThrow('nested too deep');
  });
});
