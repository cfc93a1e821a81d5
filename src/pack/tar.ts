import { QuorateError } from '../errors.js';

/** A file of an archive; folders are made as they are needed. */
export interface Entry {
  /** With `/`, relative to the archive's top. */
  readonly name: string;
  readonly contents: Buffer;
  readonly executable: boolean;
}

const BLOCK = 512;

/**
 * A ustar archive whose bytes are those of its files and nothing else: no times, no owners, sorted by name. (Archivers that
 * can be told so take the times of the day by default, and no two systems' `tar` are told so in the same words.) Pure.
 */
export function tarOf(entries: readonly Entry[]): Buffer {
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  const blocks = sorted.flatMap(({ name, contents, executable }) => [
    header(name, contents.length, executable ? 0o755 : 0o644),
    contents,
    Buffer.alloc((BLOCK - (contents.length % BLOCK)) % BLOCK),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function header(name: string, size: number, mode: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const [prefix, rest] = split(name);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  block.write(rest, 0);
  block.write(octal(mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(0, 12), 136);
  block.write(' '.repeat(8), 148);
  block.write('0', 156);
  block.write('ustar\x0000', 257, 'latin1');
  block.write(octal(0, 8), 329);
  block.write(octal(0, 8), 337);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** A long name is told in two pieces, which a slash lies between. */
function split(name: string): [prefix: string, rest: string] {
  if (Buffer.byteLength(name) <= 100) return ['', name];
  const at = [...name.matchAll(/\//g)].map(({ index }) => index);
  const fit = at.find((slash) => slash <= 155 && Buffer.byteLength(name.slice(slash + 1)) <= 100);
  if (fit === undefined) throw new QuorateError('name-too-long', `No archive takes a file named ${name}.`);
  return [name.slice(0, fit), name.slice(fit + 1)];
}
