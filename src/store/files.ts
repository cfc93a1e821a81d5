import { constants } from 'node:fs';
import { access, chmod, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { QuorateError, reasonOf } from '../errors.js';

/** A directory only its owner can enter, writable by us. */
export async function privateDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if ((await stat(directory)).mode & 0o077) await chmod(directory, 0o700);
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw writeError(directory, error);
  }
}

/** Readers see the old or the new contents, never half of either, and so they do after a crash. Mode 0600. */
export async function writePrivate(file: string, contents: string): Promise<void> {
  try {
    await writeFileAtomic(file, contents, { mode: 0o600 });
  } catch (error) {
    throw writeError(dirname(file), error);
  }
}

/** The text, or null when there is no such file. */
export async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw readError(file, error);
  }
}

/** Names of the directories in a directory that may not be there. */
export async function directoriesIn(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw readError(directory, error);
  }
}

/** Overwrites a secret before its name is taken away. */
export async function shred(file: string): Promise<void> {
  try {
    const handle = await open(file, 'r+');
    try {
      const { size } = await handle.stat();
      await handle.write(Buffer.alloc(size), 0, size, 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await unlink(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw writeError(dirname(file), error);
  }
}

/** The error for a directory that could not be written to, naming it. */
export function writeError(directory: string, error: unknown): QuorateError {
  const full = codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT';
  return full
    ? new QuorateError('disk-full', `${directory} cannot be written to: the disk is full.`, {
        todo: 'Make room, then run the command again; nothing is half-written.',
        cause: error,
      })
    : new QuorateError('store-not-writable', `${directory} cannot be written to: ${reasonOf(error)}.`, {
        todo: 'Make it writable for yourself, or set QUORATE_HOME to another directory.',
        cause: error,
      });
}

function readError(path: string, error: unknown): QuorateError {
  return new QuorateError('store-unreadable', `${path} cannot be read: ${reasonOf(error)}.`, {
    todo: 'Make it readable for yourself, or set QUORATE_HOME to another directory.',
    cause: error,
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
