import { Kind, type TSchema, Type } from '@sinclair/typebox';
import type { Db, IndexDescription } from 'mongodb';
import {
  AddressesDocument,
  BucketDocument,
  ChangeDocument,
  CredentialDocument,
  EnvironmentDocument,
  EvidenceDocument,
  MachineDocument,
  PresenceDocument,
  RequestDocument,
  SettingDocument,
  TokenDocument,
} from './documents.js';
import { CounterDocument, OperationDocument, OutputDocument, ResultDocument } from './operation-documents.js';
import { RollDocument } from './roll.js';
import { StatusDocument } from './status-documents.js';
import { STATUS_KEPT } from './status-log.js';
import { AuditDocument, UserDocument } from './user-documents.js';

interface CollectionPlan {
  readonly schema: TSchema;
  readonly indexes: readonly IndexDescription[];
}

const DAY = 86_400;
const AUDIT_KEPT = 90 * DAY;

/** Every collection, with its documents' schema and the indexes beside `_id`. */
export const COLLECTIONS: Readonly<Record<string, CollectionPlan>> = {
  environment: { schema: EnvironmentDocument, indexes: [] },
  machines: {
    schema: MachineDocument,
    indexes: [
      { key: { nonce: 1 }, unique: true },
      // What is looked at every second are the controllers, among thousands of others.
      { key: { jobs: 1 } },
      { key: { memberId: 1 } },
      { key: { knewKeys: 1 } },
      { key: { life: 1 } },
      { key: { 'instance.state': 1 } },
      { key: { 'instance.checks': 1 }, sparse: true },
      { key: { 'instance.retiresAt': 1 }, sparse: true },
    ],
  },
  presence: {
    schema: Type.Union([PresenceDocument, RollDocument]),
    indexes: [{ key: { beats: 1 }, sparse: true }, { key: { 'report.addressVersion': 1 } }],
  },
  addresses: { schema: AddressesDocument, indexes: [] },
  bucket: { schema: BucketDocument, indexes: [] },
  settings: { schema: SettingDocument, indexes: [] },
  tokens: { schema: TokenDocument, indexes: [] },
  changes: { schema: ChangeDocument, indexes: [{ key: { number: 1 }, unique: true }, { key: { state: 1 } }] },
  evidence: { schema: EvidenceDocument, indexes: [] },
  credentials: { schema: CredentialDocument, indexes: [{ key: { expiresAt: 1 }, expireAfterSeconds: 0 }] },
  users: { schema: UserDocument, indexes: [] },
  audit: {
    schema: AuditDocument,
    indexes: [{ key: { at: 1 }, expireAfterSeconds: AUDIT_KEPT }, { key: { user: 1, at: -1 } }],
  },
  requests: { schema: RequestDocument, indexes: [{ key: { at: 1 }, expireAfterSeconds: DAY }] },
  operations: { schema: OperationDocument, indexes: [{ key: { createdAt: 1 }, expireAfterSeconds: 14 * DAY }] },
  operationResults: {
    schema: ResultDocument,
    indexes: [
      { key: { operation: 1, machine: 1 } },
      { key: { state: 1, machine: 1 } },
      { key: { createdAt: 1 }, expireAfterSeconds: 14 * DAY },
    ],
  },
  operationOutput: {
    schema: OutputDocument,
    indexes: [
      { key: { operation: 1, machine: 1, sequence: 1 }, unique: true },
      { key: { at: 1 }, expireAfterSeconds: 14 * DAY },
    ],
  },
  counters: { schema: CounterDocument, indexes: [] },
  statusLog: {
    schema: StatusDocument,
    indexes: [
      { key: { machine: 1, number: -1 } },
      { key: { arrivedAt: 1 }, expireAfterSeconds: STATUS_KEPT.days * DAY },
    ],
  },
};

const NAMESPACE_EXISTS = 48;

/** Makes every collection with its validator and indexes, and brings those that are there up to date. */
export async function prepare(db: Db): Promise<void> {
  for (const name of Object.keys(COLLECTIONS)) await prepareCollection(db, name);
}

/** The same for one of them. */
export async function prepareCollection(db: Db, name: string): Promise<void> {
  const plan = COLLECTIONS[name];
  if (plan === undefined) throw new Error(`no collection ${name}`);
  const validator = { $jsonSchema: jsonSchemaOf(plan.schema) };
  try {
    await db.createCollection(name, { validator });
  } catch (error) {
    if ((error as { code?: number }).code !== NAMESPACE_EXISTS) throw error;
    await db.command({ collMod: name, validator });
  }
  if (plan.indexes.length > 0) await db.collection(name).createIndexes([...plan.indexes]);
}

/**
 * A TypeBox schema as MongoDB's `$jsonSchema`: `type` becomes `bsonType` (the driver writes whole numbers as int), and
 * words that MongoDB does not know are left out. Fields that are not named stay allowed, so that a newer controller can
 * write beside an older one.
 */
export function jsonSchemaOf(schema: TSchema): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  if (schema.bsonType !== undefined) out.bsonType = schema.bsonType;
  if (schema.const !== undefined) out.enum = [schema.const];
  else if (typeof schema.type === 'string') out.bsonType = BSON_TYPES[schema.type];
  if (schema.anyOf !== undefined) {
    const variants = schema.anyOf as TSchema[];
    const literals = variants.every((variant) => variant.const !== undefined);
    if (literals) out.enum = variants.map((variant) => variant.const);
    else out.anyOf = variants.map(jsonSchemaOf);
  }
  if (schema.items !== undefined) out.items = jsonSchemaOf(schema.items as TSchema);
  if (schema.properties !== undefined) out.properties = mapValues(schema.properties, jsonSchemaOf);
  if (schema.patternProperties !== undefined) {
    out.patternProperties = mapValues(schema.patternProperties, jsonSchemaOf);
  }
  if (Array.isArray(schema.required) && schema.required.length > 0) out.required = schema.required;
  if (Object.keys(out).length === 0) throw new Error(`no $jsonSchema for a ${String(schema[Kind])}`);
  return out;
}

const BSON_TYPES: Readonly<Record<string, unknown>> = {
  string: 'string',
  boolean: 'bool',
  integer: ['int', 'long'],
  number: 'number',
  null: 'null',
  array: 'array',
  object: 'object',
};

function mapValues(
  from: Record<string, TSchema>,
  translate: (schema: TSchema) => Record<string, unknown>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).map(([name, schema]) => [name, translate(schema)]));
}
