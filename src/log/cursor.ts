/** Up to where each of some files was read. */
export interface Position {
  /** Tells a file from the one that took its place under its name. */
  readonly inode: number;
  /** Bytes. */
  readonly offset: number;
}

/** A cursor for positions in the order of their files; null for a file that is not there. */
export function cursorOf(positions: readonly (Position | null)[]): string {
  return positions.map((at) => (at === null ? '' : `${at.inode.toString(36)}.${at.offset.toString(36)}`)).join('-');
}

/** The positions of a cursor; null for one that cannot be read, and for files that it does not know. */
export function positionsOf(cursor: string, files: number): (Position | null)[] {
  const parts = cursor.split('-');
  return Array.from({ length: files }, (_, n) => {
    const [, inode = '', offset = ''] = /^([0-9a-z]{1,13})\.([0-9a-z]{1,10})$/.exec(parts[n] ?? '') ?? [];
    return inode === '' ? null : { inode: Number.parseInt(inode, 36), offset: Number.parseInt(offset, 36) };
  });
}
