import { Value } from '@sinclair/typebox/value';
import { ENTRIES_AT_ONCE } from '../../api/status-log.js';
import { LONGEST_MESSAGE, StatusEntry } from '../../state/status-documents.js';

/** An entry as it lies on the machine's disk. */
export type KeptEntry = StatusEntry & {
  /** It stands for so many that are not kept. */
  readonly leftOut?: number;
};

/** What the environment is not known to have yet, in order, and the highest number that was ever given. */
export interface Unsent {
  readonly entries: readonly KeptEntry[];
  readonly last: number;
}

/** More than a machine has to say in days of being cut off, unless a service of it dies over and over. */
const MOST = 300;
/** So many are kept when there are more. */
const KEPT = 250;

export const NOTHING: Unsent = { entries: [], last: 0 };

/**
 * The next entry, at `now` (milliseconds since 1970). Numbers are the time where that is later than the number before: so
 * none is used again, also where the disk with the last ones is lost or was full. Where there are too many the oldest go,
 * which an entry tells. Pure.
 */
export function add(unsent: Unsent, said: Pick<StatusEntry, 'what' | 'status' | 'message'>, now: number): Unsent {
  const added = append(unsent, said, now);
  if (added.entries.length <= MOST) return added;
  const cut = added.entries.length - KEPT;
  const leftOut = added.entries.slice(0, cut).reduce((sum, entry) => sum + (entry.leftOut ?? 1), 0);
  const message = `${leftOut} older entries were left out: no controller could be told of them for so long.`;
  const kept = { entries: added.entries.slice(cut), last: added.last };
  return append(kept, { what: 'status-log', status: 'cut', message }, now, { leftOut });
}

function append(
  { entries, last }: Unsent,
  { what, status, message }: Pick<StatusEntry, 'what' | 'status' | 'message'>,
  now: number,
  more: Pick<KeptEntry, 'leftOut'> = {},
): Unsent {
  const number = Math.max(last + 1, now);
  const entry = { number, at: now, what, status, message: message.slice(0, LONGEST_MESSAGE), ...more };
  return { entries: [...entries, entry], last: number };
}

/** What is left once the environment has all up to a number. Pure. */
export function acknowledge({ entries, last }: Unsent, upTo: number): Unsent {
  return { entries: entries.filter(({ number }) => number > upTo), last };
}

/** What is sent next; empty for nothing. Pure. */
export const nextOf = ({ entries }: Unsent): StatusEntry[] =>
  entries.slice(0, ENTRIES_AT_ONCE).map(({ leftOut: _, ...entry }) => entry);

/** One line of the file: an entry, or up to which number the environment has all. */
export const entryLine = (entry: KeptEntry): string => `${JSON.stringify(entry)}\n`;
export const takenLine = (upTo: number): string => `${JSON.stringify({ taken: upTo })}\n`;

/** The whole file, with nothing in it that is not needed any more. Pure. */
export function textOf({ entries, last }: Unsent): string {
  const taken = (entries[0]?.number ?? last + 1) - 1;
  return takenLine(taken) + entries.map(entryLine).join('');
}

/** What a file holds. */
export interface Parsed extends Unsent {
  readonly lines: number;
  /** All of it could be read. */
  readonly whole: boolean;
}

/** Reads a file; a line that was cut off is dropped, and no other with it. Pure. */
export function parseUnsent(text: string): Parsed {
  let unsent = NOTHING;
  const lines = text.split('\n');
  let whole = lines.pop() === '';
  for (const line of lines) {
    const next = read(unsent, line);
    whole &&= next !== null;
    unsent = next ?? unsent;
  }
  return { ...unsent, lines: lines.length, whole };
}

function read(unsent: Unsent, line: string): Unsent | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (isTaken(value)) return acknowledge({ ...unsent, last: Math.max(unsent.last, value.taken) }, value.taken);
  if (!Value.Check(StatusEntry, value)) return null;
  // Written beside a file that was written anew with it.
  if (value.number <= unsent.last) return unsent;
  return { entries: [...unsent.entries, value as KeptEntry], last: value.number };
}

const isTaken = (value: unknown): value is { taken: number } =>
  typeof value === 'object' && value !== null && 'taken' in value && Number.isSafeInteger(value.taken);
