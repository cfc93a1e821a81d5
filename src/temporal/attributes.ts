import { codeOf, GRPC, REFUSALS, type Temporal } from './connect.js';
import { searchAttributes } from './names.js';

/** temporal.api.enums.v1.IndexedValueType; as numbers, for loading all of the protocol takes every command 0.1 s. */
const KEYWORD = 2;
const INT = 3;

const WANTED: Readonly<Record<string, { readonly type: number; readonly word: string }>> = {
  [searchAttributes.environment]: { type: KEYWORD, word: 'Keyword' },
  [searchAttributes.phase]: { type: KEYWORD, word: 'Keyword' },
  [searchAttributes.controllers]: { type: INT, word: 'Int' },
};

/** As the `temporal` CLI takes them: NAME=TYPE. */
export const searchAttributeFlags: readonly string[] = Object.entries(WANTED).map(
  ([name, { word }]) => `${name}=${word}`,
);

type Asked = { readonly connection: Pick<Temporal['connection'], 'operatorService'>; readonly namespace: string };

/** Names of ours that this namespace does not have. */
export async function missingSearchAttributes({ connection, namespace }: Asked): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return Object.keys(WANTED).filter((name) => customAttributes?.[name] !== WANTED[name]?.type);
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
  const { connection, namespace, address } = temporal;
  let missing = Object.entries(WANTED);
  try {
    const names = await missingSearchAttributes(temporal);
    missing = missing.filter(([name]) => names.includes(name));
    if (missing.length === 0) return null;
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(([name, { type }]) => [name, type])),
    });
    return null;
  } catch (error) {
    if (codeOf(error) === GRPC.alreadyExists) return null; // someone else was quicker
    if (!REFUSALS.has(codeOf(error))) throw error;
    const flags = missing.map(([name, { word }]) => `--name ${name} --type ${word}`).join(' ');
    return `temporal operator search-attribute create --address ${address} -n ${namespace} ${flags}`;
  }
}
