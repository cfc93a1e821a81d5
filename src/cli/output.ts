import type { Command } from 'commander';
import { duration } from '../api/duration.js';
import { usageError } from '../errors.js';

export type Format = 'tabular' | 'json' | 'yaml';
const FORMATS: readonly Format[] = ['tabular', 'json', 'yaml'];

export interface OutputOptions {
  readonly format?: string;
  readonly ascii?: boolean;
}

/** `--format` and `--ascii`, on every command that prints facts. */
export function withFormat(command: Command): Command {
  return command
    .option('--format <format>', 'tabular, json or yaml', 'tabular')
    .option('--ascii', 'plain ASCII instead of symbols');
}

/** `-e ENV`, on every command that needs an environment. */
export function withEnvironment(command: Command, what = 'the environment (default: the current one)'): Command {
  return command.option('-e, --environment <name>', what);
}

export function formatOf(options: OutputOptions): Format {
  const format = FORMATS.find((known) => known === options.format);
  if (format) return format;
  const nearest = FORMATS.find((known) => known[0] === options.format?.[0]);
  throw usageError(
    'unknown-format',
    `there is no format '${options.format}'.`,
    `Use ${FORMATS.join(', ')}${nearest ? ` (did you mean ${nearest}?)` : ''}.`,
  );
}

/** Prints a value for programs, or the text that `tabular` makes of it for people. */
export async function print(
  value: unknown,
  options: OutputOptions,
  tabular: () => string | Promise<string>,
  out: NodeJS.WritableStream = process.stdout,
): Promise<void> {
  const format = formatOf(options);
  if (format === 'json') out.write(`${JSON.stringify(value, null, 2)}\n`);
  else if (format === 'yaml') out.write((await import('yaml')).stringify(value));
  else {
    const text = await tabular();
    if (text) out.write(text.endsWith('\n') ? text : `${text}\n`);
  }
}

/** Whether symbols beyond ASCII may be printed. */
function plainAscii(options: OutputOptions, env: NodeJS.ProcessEnv = process.env): boolean {
  if (options.ascii) return true;
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return process.platform !== 'win32' && !/utf-?8/i.test(locale);
}

export interface Symbols {
  readonly done: string;
  readonly running: string;
  readonly next: string;
  readonly failed: string;
  readonly none: string;
  readonly arrow: string;
  readonly note: string;
}

export function symbols(options: OutputOptions): Symbols {
  return plainAscii(options)
    ? { done: '+', running: '*', next: '-', failed: 'x', none: '-', arrow: '->', note: '`->' }
    : { done: '✓', running: '●', next: '○', failed: '✗', none: '–', arrow: '→', note: '↳' };
}

/** A table without borders, two spaces between columns. What measures text is loaded late: many commands print none. */
export async function columns(header: readonly string[], rows: readonly (readonly string[])[]): Promise<string> {
  const { default: stringWidth } = await import('string-width');
  const lines = [header, ...rows];
  const widest = (column: number) => (most: number, cells: readonly string[]) =>
    Math.max(most, stringWidth(cells[column] ?? ''));
  const widths = header.map((_, column) => lines.reduce(widest(column), 0));
  const padded = (cell: string, column: number) => cell + ' '.repeat((widths[column] ?? 0) - stringWidth(cell));
  return lines.map((cells) => cells.map(padded).join('  ').trimEnd()).join('\n');
}

/** How long ago an ISO time was; empty for none. */
export function since(iso: string, now = Date.now()): string {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? '' : duration(Math.max(0, (now - at) / 1000));
}
