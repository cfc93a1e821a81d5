/**
 * What the clients did. `unknown`: it may have been done, or be done later; nobody can know but by reading.
 */
export type Outcome = 'ok' | 'fail' | 'unknown';

/** One operation of one client on one key. Times are milliseconds of one monotonic clock. */
export interface Operation {
  readonly client: number;
  readonly key: string;
  readonly invokedAt: number;
  readonly returnedAt: number;
  readonly outcome: Outcome;
  /** Why not `ok`; empty otherwise. */
  readonly why: string;
}

/** Compare-and-set by version: what is written counts only if the key is still at `version`. 0: it does not exist yet. */
export interface Write extends Operation {
  readonly kind: 'write';
  readonly version: number;
  readonly value: string;
  /** For a list: the element that `value` has more than what was read. */
  readonly element?: string;
}

/** What a read found: the value of that version. */
export interface Read extends Operation {
  readonly kind: 'read';
  readonly version: number;
  readonly value: string;
}

/** What is there in the end, by key. */
export type Final = ReadonlyMap<string, { readonly version: number; readonly value: string }>;

/** Something that must not be; `operations` are those that show it, for the story. */
export interface Anomaly {
  readonly what: string;
  readonly operations: readonly (Write | Read)[];
}

export const ELEMENT_SEPARATOR = ' ';

/** The elements of a list's value, in their order. */
export function elementsOf(value: string): string[] {
  return value === '' ? [] : value.split(ELEMENT_SEPARATOR);
}

export function byKey<T extends { readonly key: string }>(operations: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const operation of operations) {
    const group = groups.get(operation.key);
    if (group) group.push(operation);
    else groups.set(operation.key, [operation]);
  }
  return groups;
}
