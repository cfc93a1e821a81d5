import { type FileHandle, open } from 'node:fs/promises';
import type { OutputStream } from '../../state/operation-documents.js';
import type { Piece } from './pieces.js';

const STREAMS: readonly OutputStream[] = ['stdout', 'stderr'];
/** The stream, and how many bytes follow. */
const HEADER = 5;

/**
 * Output on the machine's disk, piece after piece; the number of a piece is its sequence number for ever. Not flushed: it
 * must survive the agent, not the machine's power.
 */
export class Spool {
  #end = 0;
  readonly #pieces: { readonly at: number; readonly length: number; readonly stream: OutputStream }[] = [];
  #writing: Promise<void> = Promise.resolve();

  private constructor(private readonly file: FileHandle) {}

  /** Opens or makes it. A last piece that is not whole was never told of, and is written over. */
  static async open(path: string): Promise<Spool> {
    const file = await open(path, 'a+', 0o600).then(async (made) => {
      await made.close();
      return await open(path, 'r+');
    });
    const spool = new Spool(file);
    const { size } = await file.stat();
    const header = Buffer.alloc(HEADER);
    for (;;) {
      if (spool.#end + HEADER > size) return spool;
      await file.read(header, 0, HEADER, spool.#end);
      const stream = STREAMS[header.readUInt8(0)];
      const length = header.readUInt32BE(1);
      if (stream === undefined || spool.#end + HEADER + length > size) return spool;
      spool.#add(stream, length);
    }
  }

  /** How many are on disk. */
  get count(): number {
    return this.#pieces.length;
  }

  /** Writes pieces after those that are there; rejects when they could not be, and then they are not there. */
  async append(pieces: readonly Piece[]): Promise<void> {
    const writing = this.#writing.then(async () => {
      for (const { stream, data } of pieces) {
        const header = Buffer.alloc(HEADER);
        header.writeUInt8(STREAMS.indexOf(stream), 0);
        header.writeUInt32BE(data.length, 1);
        await writeAll(this.file, Buffer.concat([header, data]), this.#end);
        this.#add(stream, data.length);
      }
    });
    this.#writing = writing.catch(() => undefined);
    await writing;
  }

  async read(sequence: number): Promise<Piece> {
    const piece = this.#pieces[sequence];
    if (piece === undefined) throw new RangeError(`there is no piece ${sequence} of ${this.count}`);
    const data = Buffer.alloc(piece.length);
    await this.file.read(data, 0, piece.length, piece.at);
    return { stream: piece.stream, data };
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.file.close();
  }

  #add(stream: OutputStream, length: number): void {
    this.#pieces.push({ at: this.#end + HEADER, length, stream });
    this.#end += HEADER + length;
  }
}

/** A disk that is nearly full takes a part without an error. */
async function writeAll(file: FileHandle, data: Buffer, at: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    done += (await file.write(data, done, data.length - done, at + done)).bytesWritten;
  }
}
