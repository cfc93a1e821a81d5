import { Kind, type TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { QuorateError } from '../errors.js';

/** Deeper than anything that the API asks for: what walks a body step by step into it could be led too far. */
const DEEPEST = 16;

const INTEGER = /^-?\d{1,15}$/;
const NUMBER = /^-?\d{1,15}(\.\d{1,9})?$/;

/** The part of a request as its schema has it; undefined where the route has none. Throws `bad-request`, in words. */
export function checked(
  schema: TSchema | undefined,
  value: unknown,
  part: 'query' | 'body',
): Record<string, unknown> | undefined {
  if (schema === undefined) return undefined;
  if (isDeeperThan(DEEPEST, value)) throw refused(part, 'it is nested too deep');
  const typed = part === 'query' ? typedQuery(schema, value) : value;
  if (Value.Check(schema, typed)) return typed as Record<string, unknown>;
  const first = Value.Errors(schema, typed).First();
  throw refused(first?.path ? `${part}${first.path}` : part, first?.message ?? 'not understood');
}

/**
 * A query's texts as what the schema asks for: numbers in digits, `true` and `false`. Whatever else is said there stays
 * text, and is refused as that. Pure.
 */
export function typedQuery({ properties = {} }: TSchema, query: unknown): Record<string, unknown> {
  const typed = Object.entries((query ?? {}) as Record<string, unknown>).map(([name, text]) => {
    const kind = Object.hasOwn(properties, name) ? (properties as Record<string, TSchema>)[name]?.[Kind] : undefined;
    return [name, typeof text === 'string' ? typedText(kind, text) : text];
  });
  return Object.fromEntries(typed);
}

function typedText(kind: string | undefined, text: string): unknown {
  if (kind === 'Integer' && INTEGER.test(text)) return Number(text);
  if (kind === 'Number' && NUMBER.test(text)) return Number(text);
  if (kind === 'Boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/** Whether lists and objects lie in each other more often than that. Goes by levels, so that no depth is too much for it. */
export function isDeeperThan(most: number, value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= most; depth += 1) {
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
    if (level.length === 0) return false;
  }
  return true;
}

function refused(where: string, reason: string): QuorateError {
  return new QuorateError('bad-request', `The ${where} is not as it must be: ${reason}.`, {
    todo: 'What it must be: /v1/openapi.json.',
    exit: 2,
  });
}
