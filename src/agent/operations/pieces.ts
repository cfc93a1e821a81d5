import { LARGEST_CHUNK, type OutputStream } from '../../state/operation-documents.js';

/** A piece of what a command wrote. */
export interface Piece {
  readonly stream: OutputStream;
  readonly data: Buffer;
}

/**
 * Cuts what a command writes into pieces, and counts it. What comes after `limit` bytes of both streams together is counted
 * and dropped. The order within a stream is kept; between the two it is that of their first bytes in each round.
 */
export class Pieces {
  readonly #waiting = new Map<OutputStream, Buffer[]>();
  readonly #written = { stdout: 0, stderr: 0 };
  #left: number;

  constructor(limit: number) {
    this.#left = limit;
  }

  /** Bytes that were written, kept or not. */
  get written(): Readonly<Record<OutputStream, number>> {
    return this.#written;
  }

  get waiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Takes what was written. @returns pieces that are full */
  add(stream: OutputStream, data: Buffer): Piece[] {
    this.#written[stream] += data.length;
    const kept = data.subarray(0, this.#left);
    this.#left -= kept.length;
    if (kept.length === 0) return [];
    const waiting = [...(this.#waiting.get(stream) ?? []), kept];
    const size = waiting.reduce((sum, { length }) => sum + length, 0);
    if (size < LARGEST_CHUNK) {
      this.#waiting.set(stream, waiting);
      return [];
    }
    const whole = Buffer.concat(waiting);
    const full = Math.floor(size / LARGEST_CHUNK) * LARGEST_CHUNK;
    if (full < size) this.#waiting.set(stream, [whole.subarray(full)]);
    else this.#waiting.delete(stream);
    return cut(stream, whole.subarray(0, full));
  }

  /** All that waits for more. */
  flush(): Piece[] {
    const pieces = [...this.#waiting].map(([stream, waiting]) => ({ stream, data: Buffer.concat(waiting) }));
    this.#waiting.clear();
    return pieces;
  }

  /** Nothing more is kept. */
  stop(): void {
    this.#left = 0;
    this.#waiting.clear();
  }
}

function cut(stream: OutputStream, data: Buffer): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < data.length; at += LARGEST_CHUNK) {
    pieces.push({ stream, data: data.subarray(at, at + LARGEST_CHUNK) });
  }
  return pieces;
}

/**
 * Milliseconds that output waits for more before it becomes a piece: what is written rarely is seen at once, and a command
 * that writes a dot every second for a day does not make a document of each.
 */
export function lingerMs(pieces: number): number {
  if (pieces < 200) return 20;
  return pieces < 1000 ? 200 : 1000;
}
