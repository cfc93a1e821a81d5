import path from 'node:path';
import { QuorateError } from '../errors.js';
import type { Dirs } from '../store/dirs.js';
import { readIfThere, writePrivate } from '../store/files.js';
import type { GroupMark } from './group.js';

/** What is kept of the embedded Temporal. Its ports stay the same for good: controllers have its address in their files. */
export interface ServerRecord extends GroupMark {
  readonly port: number;
  readonly uiPort: number;
  readonly version: string;
  /** ISO 8601, for people. */
  readonly at: string;
}

/** What is kept of the worker beside a Temporal. */
export interface WorkerRecord extends GroupMark {
  readonly buildId: string;
  /** Address and namespace of the Temporal it works for, and a digest of how it reaches it. */
  readonly temporal: string;
  readonly at: string;
}

export async function readServer(dirs: Dirs): Promise<ServerRecord | null> {
  const file = serverFile(dirs);
  const text = await readIfThere(file);
  return text === null ? null : parseServer(text, file);
}

export const writeServer = (dirs: Dirs, record: ServerRecord): Promise<void> => write(serverFile(dirs), record);

/** One that cannot be read is as good as none: its worker is started anew and two of them harm nobody. */
export async function readWorker(dirs: Dirs, name: string): Promise<WorkerRecord | null> {
  const text = await readIfThere(path.join(dirs.engine, `${name}.json`));
  return text === null ? null : parseWorker(text);
}

export const writeWorker = (dirs: Dirs, name: string, record: WorkerRecord): Promise<void> =>
  write(path.join(dirs.engine, `${name}.json`), record);

export function parseServer(text: string, file: string): ServerRecord {
  const value = parse(text);
  const port = (key: string) =>
    Number.isInteger(value?.[key]) && Number(value?.[key]) > 0 && Number(value?.[key]) < 65_536;
  if (isMark(value) && port('port') && port('uiPort') && isText(value.version) && isText(value.at)) {
    return value as unknown as ServerRecord;
  }
  // Not made up anew without asking: controllers were told the ports in it.
  throw new QuorateError('engine-record-damaged', `${file}, the record of the embedded Temporal, is damaged.`, {
    todo: 'Move it away and run `quorate engine start` (with --port and --ui-port as before, if it does not run any more).',
  });
}

export function parseWorker(text: string): WorkerRecord | null {
  const value = parse(text);
  return isMark(value) && [value.buildId, value.temporal, value.at].every(isText)
    ? (value as unknown as WorkerRecord)
    : null;
}

const serverFile = (dirs: Dirs) => path.join(dirs.engine, 'engine.json');

const write = (file: string, record: object) => writePrivate(file, `${JSON.stringify(record, null, 2)}\n`);

const isText = (value: unknown): value is string => typeof value === 'string';

function isMark(value: Record<string, unknown> | null): value is Record<string, unknown> {
  return value !== null && Number.isInteger(value.pid) && Number(value.pid) > 1 && isText(value.started);
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
