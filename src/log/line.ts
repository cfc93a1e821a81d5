/** A line of a program's log: what `log.ts` writes, and what is read of any line that it did not write. */

/** From what a person may look at last to what they should look at first. */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type Level = (typeof LEVELS)[number];

export function isLevel(text: unknown): text is Level {
  return LEVELS.some((level) => level === text);
}

/** Whether a line of this level is as grave as `least`, or graver. */
export function isAtLeast(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

export interface Line {
  /** ISO 8601 by the clock of the machine that wrote it; empty when the line does not say. */
  readonly time: string;
  readonly level: Level;
  /** `agent`, `api`, `worker`, …; empty when the line does not say. */
  readonly program: string;
  readonly machine: string;
  readonly environment: string;
  readonly msg: string;
  readonly requestId: string;
  /** Whatever else it says. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Reads a line of JSON as our programs write it; null for any other. */
export function parseLine(text: string): Line | null {
  if (!text.startsWith('{')) return null;
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return null;
  }
  const { time, level, program, machine, environment, msg, requestId, ...details } = said as Record<string, unknown>;
  if (typeof time !== 'string' || !isLevel(level) || typeof program !== 'string') return null;
  const word = (value: unknown) => (typeof value === 'string' ? value : '');
  return {
    time,
    level,
    program,
    machine: word(machine),
    environment: word(environment),
    msg: word(msg),
    requestId: word(requestId),
    details,
  };
}

/** A line for people: when, how grave, who, what. One that our programs did not write is shown as it is. */
export function lineText(text: string): string {
  const line = parseLine(text);
  return line === null ? text : textOf(line);
}

/** As `lineText`, of a line that was read. What a terminal would obey instead of showing is not shown. */
export function textOf({ time, level, program, machine, msg, requestId, details }: Line): string {
  const who = [program, machine].filter(Boolean).join(' ');
  const more = Object.entries({ ...(requestId === '' ? {} : { request: requestId }), ...details }).map(
    ([name, value]) => `${name}=${valueText(value)}`,
  );
  return [[time, level.toUpperCase().padEnd(5), `${who}:`, msg, ...more].filter(Boolean).join(' '), stackOf(details)]
    .filter(Boolean)
    .join('\n')
    .replace(/[^\P{Cc}\n\t]/gu, '\ufffd');
}

/** The last thing that a console says, in words. */
export function lastSentence(console: string): string {
  const last = console.trimEnd().split('\n').at(-1) ?? '';
  return parseLine(last)?.msg ?? last;
}

function valueText(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  if (isError(value)) return JSON.stringify(value.message);
  return JSON.stringify(value);
}

function stackOf({ err }: Line['details']): string {
  return isError(err) ? (err.stack ?? '') : '';
}

function isError(value: unknown): value is { message: string; stack?: string } {
  return typeof value === 'object' && value !== null && 'message' in value;
}
