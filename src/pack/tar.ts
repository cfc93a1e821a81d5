import { pack } from 'tar-stream';

/** A file of an archive; folders are made as they are needed. */
export interface Entry {
  /** With `/`, relative to the archive's top. */
  readonly name: string;
  readonly contents: Buffer;
  readonly executable: boolean;
}

/** An archive whose bytes are those of its files and nothing else: no times, no owners, sorted by name. */
export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  const archive = pack();
  for (const { name, contents, executable } of sorted) {
    archive.entry({ name, mode: executable ? 0o755 : 0o644, mtime: new Date(0), uid: 0, gid: 0 }, contents);
  }
  archive.finalize();
  const blocks: Buffer[] = [];
  for await (const block of archive) blocks.push(block as Buffer);
  return Buffer.concat(blocks);
}
