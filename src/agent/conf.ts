import { rename } from 'node:fs/promises';
import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { QuorateError, reasonOf } from '../errors.js';
import { AgentSettings, Job, Life, ServerAddress } from '../state/documents.js';
import { readIfThere, writePrivate } from '../store/files.js';

/**
 * agent.conf: who this machine is, how to reach the environment, and what it was last told to do, so that after a power
 * cut it starts its services before anybody can be asked.
 */
export const AgentConf = Type.Object(
  {
    quorate: Type.Literal(1),
    environment: Type.Object({ name: Type.String(), uuid: Type.String({ minLength: 1 }) }),
    machine: Type.String({ minLength: 1 }),
    /** The last known address set; `version` 0 is what the user data said. */
    addresses: Type.Object({ version: Type.Integer({ minimum: 0 }), servers: Type.Array(ServerAddress) }),
    /** Where the published address set is found when no address answers. */
    url: Type.String(),
    /** What the machine's document said last; only a positive, newer answer changes it. */
    jobs: Type.Array(Job),
    life: Life,
    memberId: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
    version: Type.Integer({ minimum: 0 }),
    /** Version of what the environment trusts that this machine goes by; absent before it was told any. */
    authorityVersion: Type.Optional(Type.Integer({ minimum: 1 })),
    /** What it was told of the environment's settings; absent until then. */
    settings: Type.Optional(AgentSettings),
    /** Machine 0 until its API server has taken over: the agent itself answers on the API's port. */
    bootstrapping: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type AgentConf = Static<typeof AgentConf>;

export interface ConfRead {
  /** null: there is none, or none that can be used. */
  readonly conf: AgentConf | null;
  /** What was wrong and what was done about it, for the console; empty when all was well. */
  readonly notes: readonly string[];
  /** There was something, and neither it nor its predecessor can be used. */
  readonly lost: boolean;
}

const previousOf = (file: string) => `${file}.previous`;

/** The conf a text holds; throws a sentence that says what is wrong with it. */
export function parseConf(text: string): AgentConf {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new QuorateError('bad-conf', `it is not JSON (${reasonOf(error)})`, { cause: error });
  }
  if (Value.Check(AgentConf, value)) return value;
  const first = Value.Errors(AgentConf, value).First();
  throw new QuorateError('bad-conf', `${first?.path || 'the whole'}: ${first?.message ?? 'not as expected'}`);
}

/** Reads agent.conf; a damaged one is kept as `.bad` and its predecessor is used where that is whole. */
export async function readConf(file: string): Promise<ConfRead> {
  const text = await readIfThere(file);
  const previous = await readIfThere(previousOf(file));
  if (text === null && previous === null) return { conf: null, notes: [], lost: false };
  const notes: string[] = [];
  if (text !== null) {
    try {
      return { conf: parseConf(text), notes, lost: false };
    } catch (error) {
      notes.push(`${file} is damaged: ${reasonOf(error)}. It was kept as ${file}.bad.`);
      await rename(file, `${file}.bad`);
    }
  } else {
    notes.push(`${file} is missing, though there was one.`);
  }
  try {
    if (previous === null) throw new QuorateError('bad-conf', 'there is none');
    const conf = parseConf(previous);
    await writePrivate(file, previous);
    notes.push(`It was restored from ${previousOf(file)}; the controllers will say what has changed since.`);
    return { conf, notes, lost: false };
  } catch (error) {
    notes.push(`It cannot be restored from ${previousOf(file)}: ${reasonOf(error)}.`);
    return { conf: null, notes, lost: true };
  }
}

/** Writes agent.conf, whole or not at all, and keeps the one before. */
export async function writeConf(file: string, conf: AgentConf): Promise<void> {
  const before = await readIfThere(file);
  if (before !== null) await writePrivate(previousOf(file), before);
  await writePrivate(file, `${JSON.stringify(conf, null, 2)}\n`);
}
