import type { LogLine } from '../api/log.js';
import { isAtLeast, type Level, parseLine } from './line.js';
import { withoutSecrets } from './secrets.js';

/** Whose log it is that the lines stand in. */
export interface Source {
  readonly program: string;
  readonly machine: string;
  readonly environment: string;
  /** ISO 8601: the time of lines before the first that says its own. */
  readonly time: string;
}

/** A line that is longer is cut: one of a stack or a document that somebody sent tells no more in full. */
const LONGEST = 8192;
const LONGEST_MESSAGE = 4096;

/**
 * Lines of a log as entries, in their order. What a program's last words are (a crash, what the start script says) is no
 * JSON and says neither when nor how grave: it is as old as the line before it, and a warning. Pure.
 */
export function entriesOf(lines: readonly string[], source: Source): LogLine[] {
  let { time } = source;
  return lines.flatMap((line) => {
    if (line.trim() === '') return [];
    const text = withoutSecrets(line);
    const entry = ours(text) ?? mongods(text, source) ?? raw(text, { ...source, time });
    time = entry.time;
    return [entry];
  });
}

/** The entries that were asked for, the last `limit` of them. */
export function chosen(
  entries: readonly LogLine[],
  { level, since, limit }: { readonly level: Level; readonly since: string; readonly limit: number },
): { readonly lines: readonly LogLine[]; readonly more: boolean } {
  const all = entries.filter((entry) => isAtLeast(entry.level, level) && entry.time >= since);
  return { lines: all.slice(Math.max(0, all.length - limit)), more: all.length > limit };
}

/** By time; of the same time as they were. Times are ISO 8601 in UTC, so their texts are in order too. */
export function inOrder(lines: readonly LogLine[]): LogLine[] {
  return [...lines].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

function ours(text: string): LogLine | null {
  const line = parseLine(text);
  if (line === null) return null;
  const { details, requestId, msg, ...said } = line;
  return {
    ...said,
    msg: short(msg),
    ...(requestId === '' ? {} : { requestId }),
    ...(text.length > LONGEST ? { cut: true } : details),
  };
}

const MONGOD_LEVELS: Readonly<Record<string, Level>> = { F: 'fatal', E: 'error', W: 'warn', I: 'info' };
/** Whatever else it says at its ease is every connection that comes and goes, and every step of every heartbeat. */
const MONGOD_TELLS = 'ELECTION';
/** That agents and workers log in as members may is how Quorate does it. */
const MONGOD_WARNS_FOR_NOTHING = [
  "Client isn't a mongod or mongos, but is connecting with a certificate with cluster membership",
  "Client connecting with server's own TLS certificate",
];

/** A line of mongod's own log. Its attributes are left out: they hold commands, and commands hold documents. */
function mongods(text: string, { machine, environment }: Source): LogLine | null {
  if (!text.startsWith('{"t":')) return null;
  let said: { t?: { $date?: unknown }; s?: unknown; c?: unknown; msg?: unknown };
  try {
    said = JSON.parse(text);
  } catch {
    return null;
  }
  const at = Date.parse(String(said.t?.$date));
  if (Number.isNaN(at) || typeof said.msg !== 'string') return null;
  const component = String(said.c);
  return {
    time: new Date(at).toISOString(),
    level: mongodLevel(String(said.s), component, said.msg),
    program: 'mongod',
    machine,
    environment,
    msg: short(said.msg),
    component,
  };
}

function mongodLevel(severity: string, component: string, msg: string): Level {
  const level = MONGOD_LEVELS[severity] ?? 'debug';
  const ease = level === 'info' && component !== MONGOD_TELLS;
  return ease || MONGOD_WARNS_FOR_NOTHING.includes(msg) ? 'debug' : level;
}

function raw(text: string, source: Source): LogLine {
  const { time, program, machine, environment } = source;
  return { time, level: 'warn', program, machine, environment, msg: short(text.trimEnd()) };
}

function short(text: string): string {
  return text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)} …` : text;
}
