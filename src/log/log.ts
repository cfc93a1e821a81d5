import { type Logger, pino } from 'pino';
import { isLevel, lineText } from './line.js';
import { withoutSecrets } from './secrets.js';

export type { Logger } from 'pino';

/** Who writes: stands in every line. */
export interface Writer {
  readonly program: 'agent' | 'api' | 'worker' | 'engine-worker' | 'gateway';
  /** Empty for the engine's worker and the local cloud's gateway, which are on no machine of an environment. */
  readonly machine?: string;
  readonly environment?: string;
}

/** The least grave level that is written; `info` when it is not said, or no level. */
const LEVEL = 'QUORATE_LOG_LEVEL';

let writer: Writer | null = null;
let logger: Logger | null = null;

/** To be called once by each program, when it knows who it is. */
export function writeAs(who: Writer): void {
  writer = who;
  logger = null;
}

/**
 * The process's log: a line of JSON each on stderr, written before the call returns, so that the last words of a process
 * that dies are there. On a terminal the lines are text.
 */
export function log(): Logger {
  logger ??= openLog({ writer, level: process.env[LEVEL], fd: process.stderr.fd, text: process.stderr.isTTY });
  return logger;
}

/** What waits while nothing can be written is no more than this, in bytes; what comes then is lost. */
const MOST_WAITING = 1_000_000;

/** A log to a file that is open. A line that cannot be written now, as the disk is full, waits: nobody ends for want of a log. */
export function openLog(options: {
  readonly writer: Writer | null;
  readonly level?: string | undefined;
  readonly fd: number;
  /** For people. */
  readonly text?: boolean;
}): Logger {
  const out = pino.destination({ dest: options.fd, sync: true, maxLength: MOST_WAITING });
  out.on('error', () => undefined);
  return pino(
    {
      level: levelFrom(options.level),
      base: options.writer,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: { err: errorOf },
      hooks: { streamWrite: options.text ? forPeople : withoutSecrets },
    },
    out,
  );
}

function levelFrom(wanted: string | undefined): string {
  return isLevel(wanted) ? wanted : 'info';
}

function forPeople(line: string): string {
  return `${lineText(withoutSecrets(line.trimEnd()))}\n`;
}

/** What is told of an error. Its other fields may hold documents. */
function errorOf(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name: type, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    type,
    message,
    ...(code === undefined ? {} : { code }),
    stack,
    ...(cause === undefined ? {} : { cause: cause instanceof Error ? cause.message : String(cause) }),
  };
}
