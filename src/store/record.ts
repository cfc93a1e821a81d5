import { QuorateError } from '../errors.js';
import type { ServerAddress } from '../state/documents.js';

/** The API servers and members of an environment as published; versions only rise. */
export interface AddressSet {
  readonly version: number;
  readonly servers: readonly ServerAddress[];
}

/** environment.json: what the operator's machine knows of an environment. Nothing in it is secret. */
export interface EnvironmentRecord {
  readonly name: string;
  readonly uuid: string;
  readonly cloud: string;
  readonly region: string;
  /** How it lies on its cloud, for that alone to understand; absent where there is nothing to keep. */
  readonly cloudSettings?: Readonly<Record<string, unknown>>;
  readonly addresses: AddressSet;
  /** host:port of API servers in earlier sets, the latest first; records of earlier versions have none. */
  readonly formerAddresses?: readonly string[];
  /** Where the published address set is found when nobody in `addresses` answers. */
  readonly url: string;
  /** `clusterId` says which Temporal it is, wherever it listens; records of the first versions lack it. */
  readonly temporal: { readonly address: string; readonly namespace: string; readonly clusterId?: string };
  /** Of what the environment trusts, as ca.crt has it; absent while that is its first CA. */
  readonly authorityVersion?: number;
  /** ISO 8601, for people. */
  readonly createdAt: string;
}

/**
 * Takes apart the text of an environment.json; fields it does not know are kept. Checked by hand: loading a schema
 * library would cost every command more time than the rest of the store together.
 */
export function parseRecord(text: string, file: string): EnvironmentRecord {
  const value = parseJson(text, file);
  const wrong = whatIsWrong(value);
  if (wrong !== null) throw damaged(file, wrong);
  return value as EnvironmentRecord;
}

/** Whether this is an address set; anything read from outside goes through here. */
export function isAddressSet(value: unknown): value is AddressSet {
  return (
    isObject(value) &&
    Number.isInteger(value.version) &&
    Array.isArray(value.servers) &&
    value.servers.every(
      (server) => isObject(server) && ['machine', 'api', 'mongo'].every((key) => isString(server[key])),
    )
  );
}

/** The error for a file that is there and cannot be understood. */
export function damaged(file: string, reason: string): QuorateError {
  return new QuorateError('store-damaged', `${file} is damaged: ${reason}.`, {
    todo: 'Restore the file from a backup, or move it away; environments that run are not touched by that.',
  });
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw damaged(file, 'it is not JSON');
  }
}

function whatIsWrong(value: unknown): string | null {
  if (!isObject(value)) return 'it is not an object';
  for (const key of ['name', 'uuid', 'cloud', 'region', 'url', 'createdAt']) {
    if (!isString(value[key])) return `"${key}" is missing or not text`;
  }
  if (!isAddressSet(value.addresses)) return '"addresses" is not an address set';
  const { formerAddresses = [] } = value;
  if (!Array.isArray(formerAddresses) || !formerAddresses.every(isString))
    return '"formerAddresses" is not a list of texts';
  if (value.cloudSettings !== undefined && !isObject(value.cloudSettings)) return '"cloudSettings" is not an object';
  const { temporal } = value;
  if (!isObject(temporal) || !isString(temporal.address) || !isString(temporal.namespace)) {
    return '"temporal" does not name an address and a namespace';
  }
  if (temporal.clusterId !== undefined && !isString(temporal.clusterId)) return '"clusterId" is not text';
  return null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}
