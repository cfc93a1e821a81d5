const NEWLINE = 0x0a;
/** A line that is longer is shown in parts. */
const LONGEST_LINE = 64 * 1024;

/** Puts a prefix before every line of a stream that comes in pieces. Bytes are left as they are. */
export class Prefixed {
  readonly #prefix: Buffer;
  #rest: Buffer = Buffer.alloc(0);

  constructor(prefix: string) {
    this.#prefix = Buffer.from(prefix);
  }

  /** The lines that are whole now. */
  add(data: Buffer): Buffer {
    const all = Buffer.concat([this.#rest, data]);
    const last = all.lastIndexOf(NEWLINE) + 1;
    this.#rest = all.subarray(last);
    const lines = this.#lines(all.subarray(0, last));
    return this.#rest.length < LONGEST_LINE ? lines : Buffer.concat([lines, this.end()]);
  }

  /** What stands without an end of line, with one. */
  end(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest.length === 0 ? rest : Buffer.concat([this.#prefix, rest, Buffer.from('\n')]);
  }

  #lines(whole: Buffer): Buffer {
    const parts: Buffer[] = [];
    for (let from = 0; from < whole.length; ) {
      const to = whole.indexOf(NEWLINE, from) + 1;
      parts.push(this.#prefix, whole.subarray(from, to));
      from = to;
    }
    return Buffer.concat(parts);
  }
}
