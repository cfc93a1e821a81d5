import { type FileHandle, open } from 'node:fs/promises';
import type { Position } from './cursor.js';

/** What is read of a file at a time: some thousand lines. */
const LONGEST = 512 * 1024;

export interface Tail {
  /** Whole lines, without their ends. */
  readonly lines: readonly string[];
  /** Behind the last of them; null when there is no such file. */
  readonly end: Position | null;
  /** There is more before the first of them that was not read. */
  readonly more: boolean;
  /** When the file was last written to, milliseconds since 1970; 0 when there is none. */
  readonly writtenAt: number;
}

const NONE: Tail = { lines: [], end: null, more: false, writtenAt: 0 };

/**
 * The last lines of a file, half a MiB at most: those after a position, when it is one in this file. A line that is still
 * being written comes next time. Without a position lines go back into `FILE.1`, which was begun anew when it was long.
 */
export async function tailOf(file: string, after: Position | null, longest = LONGEST): Promise<Tail> {
  const last = await endOf(file, after, longest);
  const rest = longest - last.bytes;
  if (after !== null || last.tail.more || rest <= 0) return last.tail;
  const { tail: earlier } = await endOf(`${file}.1`, null, rest);
  return { ...last.tail, lines: [...earlier.lines, ...last.tail.lines], more: earlier.more };
}

async function endOf(file: string, after: Position | null, longest: number): Promise<{ tail: Tail; bytes: number }> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { tail: NONE, bytes: 0 };
    throw error;
  }
  try {
    const { ino: inode, size, mtimeMs: writtenAt } = await handle.stat();
    const known = after !== null && after.inode === inode && after.offset <= size ? after.offset : 0;
    const bounded = Math.max(known, size - longest);
    // With the byte before, by which it is seen whether a line begins there.
    const start = bounded > known ? bounded - 1 : known;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    const read = buffer.subarray(0, bytesRead);
    const first = bounded > known ? read.indexOf('\n') + 1 : 0;
    const end = read.lastIndexOf('\n') + 1;
    const lines = end > first ? read.toString('utf8', first, end - 1).split('\n') : [];
    return {
      tail: { lines, end: { inode, offset: start + end }, more: bounded > known, writtenAt },
      bytes: size - start,
    };
  } finally {
    await handle.close();
  }
}
