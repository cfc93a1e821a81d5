import { Type } from '@sinclair/typebox';
import { expect, test } from 'vitest';
import { COLLECTIONS, jsonSchemaOf } from './schema.js';

test('a schema becomes a validator of MongoDB', () => {
  const schema = Type.Object({
    _id: Type.String({ description: 'not for MongoDB' }),
    count: Type.Integer(),
    life: Type.Union([Type.Literal('alive'), Type.Literal('dead')]),
    at: Type.Union([Type.Null(), Type.Unsafe<Date>({ bsonType: 'date' })]),
    tags: Type.Record(Type.String(), Type.String()),
    list: Type.Optional(Type.Array(Type.Object({ on: Type.Boolean() }))),
  });
  expect(jsonSchemaOf(schema)).toEqual({
    bsonType: 'object',
    required: ['_id', 'count', 'life', 'at', 'tags'],
    properties: {
      _id: { bsonType: 'string' },
      count: { bsonType: ['int', 'long'] },
      life: { enum: ['alive', 'dead'] },
      at: { anyOf: [{ bsonType: 'null' }, { bsonType: 'date' }] },
      tags: { bsonType: 'object', patternProperties: { '^(.*)$': { bsonType: 'string' } } },
      list: {
        bsonType: 'array',
        items: { bsonType: 'object', properties: { on: { bsonType: 'bool' } }, required: ['on'] },
      },
    },
  });
});

test('every collection has one', () => {
  for (const { schema } of Object.values(COLLECTIONS)) {
    const validator = jsonSchemaOf(schema) as { anyOf?: object[] };
    for (const one of validator.anyOf ?? [validator]) expect(one).toHaveProperty('required');
  }
});
