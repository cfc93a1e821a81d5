import { usageError } from '../../errors.js';
import { isLevel, LEVELS, type Level } from '../../log/line.js';
import { milliseconds } from '../quantities.js';

export interface DebugLogOptions {
  readonly environment?: string;
  readonly machine?: string;
  readonly level: string;
  readonly since?: string;
  readonly lines: string;
  readonly follow?: boolean;
  readonly format: string;
}

/** What is asked for, checked. */
export interface Wanted {
  /** Machine IDs; null for all controllers. */
  readonly machines: readonly string[] | null;
  readonly level: Level;
  /** Seconds before now; null for any time. */
  readonly seconds: number | null;
  /** Lines in all. */
  readonly limit: number;
}

const MOST_LINES = 2000;

/** Throws a usage error for what nobody can mean. */
export function wantedBy({ machine, level, since, lines, format }: DebugLogOptions): Wanted {
  if (format !== 'text' && format !== 'json')
    throw usageError('unknown-format', `there is no format '${format}'.`, 'Use text or json.');
  if (!isLevel(level)) throw usageError('unknown-level', `there is no level '${level}'.`, `Use: ${LEVELS.join(', ')}.`);
  const limit = /^\d{1,6}$/.test(lines) ? Number(lines) : Number.NaN;
  if (!(limit <= MOST_LINES))
    throw usageError('bad-lines', `'${lines}' is no number of lines.`, `Ask for 0 to ${MOST_LINES}.`);
  const machines = machine?.split(',') ?? null;
  const wrong = machines?.find((id) => !/^\d{1,10}$/.test(id));
  if (wrong !== undefined)
    throw usageError('bad-machine', `'${wrong}' is no machine ID.`, 'Name machines as quorate controllers does: 0,2');
  const ms = since === undefined ? null : milliseconds(since);
  if (ms !== null && ms < 0) throw usageError('bad-duration', `${since} ago is yet to come.`, 'Use --since 10m.');
  return { machines, level, seconds: ms === null ? null : ms / 1000, limit };
}

/** The query of `/v1/log`. */
export function queryOf(wanted: { level: Level; seconds: number | null; limit: number; after?: string }): string {
  const query = new URLSearchParams({ level: wanted.level, limit: String(wanted.limit) });
  if (wanted.seconds !== null) query.set('seconds', String(wanted.seconds));
  if (wanted.after !== undefined) query.set('after', wanted.after);
  return `/v1/log?${query}`;
}
