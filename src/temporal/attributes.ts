import type { Temporal } from './connect.js';
import { searchAttributes } from './names.js';
import { codeOf, GRPC, REFUSALS } from './refusals.js';

/** temporal.api.enums.v1.IndexedValueType; as numbers, for loading all of the protocol takes every command 0.1 s. */
const KEYWORD = 2;
const INT = 3;
const FIELD_TYPES: Readonly<Record<string, number>> = { Keyword: KEYWORD, Int: INT };

const WANTED: Readonly<Record<string, { readonly type: number; readonly word: string }>> = {
  [searchAttributes.environment]: { type: KEYWORD, word: 'Keyword' },
  [searchAttributes.phase]: { type: KEYWORD, word: 'Keyword' },
  [searchAttributes.controllers]: { type: INT, word: 'Int' },
};

/** As the `temporal` CLI takes them: NAME=TYPE. */
export const searchAttributeFlags: readonly string[] = Object.entries(WANTED).map(
  ([name, { word }]) => `${name}=${word}`,
);

type Asked = {
  readonly connection: Pick<Temporal['connection'], 'operatorService' | 'workflowService'>;
  readonly namespace: string;
};

/** Names of ours that this namespace does not have. */
export async function missingSearchAttributes(asked: Asked): Promise<string[]> {
  const there = await typesThere(asked);
  return Object.keys(WANTED).filter((name) => there?.[name] !== WANTED[name]?.type);
}

/** Temporal Cloud lets nobody ask its operator's service; what a namespace has stands in its own description too. */
async function typesThere({
  connection,
  namespace,
}: Asked): Promise<Readonly<Record<string, number>> | null | undefined> {
  try {
    return (await connection.operatorService.listSearchAttributes({ namespace })).customAttributes;
  } catch (error) {
    if (!REFUSALS.has(codeOf(error))) throw error;
    const { config } = await connection.workflowService.describeNamespace({ namespace });
    // Names of fields that are called by their type: Keyword10, Int02.
    const aliases = Object.entries(config?.customSearchAttributeAliases ?? {});
    return Object.fromEntries(aliases.map(([field, name]) => [name, FIELD_TYPES[field.replace(/\d+$/, '')] ?? 0]));
  }
}

/** What someone who may has to run, for the attributes of these names. */
export function howToRegister(
  names: readonly string[],
  { address, namespace }: Pick<Temporal, 'address' | 'namespace'>,
): string {
  const missing = Object.entries(WANTED).filter(([name]) => names.includes(name));
  const flags = missing.map(([name, { word }]) => `--name ${name} --type ${word}`).join(' ');
  const cloud = missing.map(([name, { word }]) => `--sa ${name}=${word}`).join(' ');
  return `temporal operator search-attribute create --address ${address} -n ${namespace} ${flags}      on Temporal Cloud: tcld namespace search-attributes add -n ${namespace} ${cloud}`;
}

/** Whether our search attributes are registered; false too where we may not ask. */
export async function areRegistered(asked: Asked): Promise<boolean> {
  try {
    return (await missingSearchAttributes(asked)).length === 0;
  } catch (error) {
    if (!REFUSALS.has(codeOf(error))) throw error;
    return false;
  }
}

/**
 * Registers our search attributes where they are missing. Answers null when they are there, or else the commands that
 * someone who may has to run: workflows then run without them.
 */
export async function registerSearchAttributes(temporal: Temporal): Promise<string | null> {
  const { connection, namespace } = temporal;
  const missing = await missingSearchAttributes(temporal);
  if (missing.length === 0) return null;
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, WANTED[name]?.type ?? KEYWORD])),
    });
    return null;
  } catch (error) {
    if (codeOf(error) === GRPC.alreadyExists) return null; // someone else was quicker
    if (!REFUSALS.has(codeOf(error))) throw error;
    return howToRegister(missing, temporal);
  }
}
