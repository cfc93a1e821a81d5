import { duration } from '../api/duration.js';
import type { SteadyWriter } from '../client/steady-writer.js';
import { colours } from './colour.js';
import type { Symbols } from './output.js';
import { stepLine } from './progress.js';

/** Where the times stand, so that what the client waited still fits beside them. */
const COLUMNS = 76;

/** One line for each part: what was done, how long it took, the longest time that the client waited meanwhile. */
export class Parts {
  readonly #sign: Symbols;
  readonly #writer: () => SteadyWriter | null;
  /** What is being done, for the message when it fails or is interrupted. */
  now = 'looking at this machine';

  constructor(sign: Symbols, writer: () => SteadyWriter | null) {
    this.#sign = sign;
    this.#writer = writer;
  }

  /** @param title what stands on the line when it is done; may depend on the outcome */
  async part<T>(
    now: string,
    work: () => Promise<T>,
    title: string | ((outcome: T) => string),
    timed = true,
  ): Promise<T> {
    this.now = now;
    this.#writer()?.lap();
    const waiting = process.stderr.isTTY;
    if (waiting) process.stderr.write(`${this.#sign.running} ${now} …`);
    const began = performance.now();
    let outcome: T;
    try {
      outcome = await work();
    } finally {
      if (waiting) process.stderr.write('\r\x1b[2K');
    }
    const lap = this.#writer()?.lap();
    const note = lap ? `longest wait ${duration(lap.longestWait)}` : '';
    const text = typeof title === 'string' ? title : title(outcome);
    const seconds = timed ? (performance.now() - began) / 1000 : null;
    const mark = colours(process.stdout).good(this.#sign.done);
    process.stdout.write(
      `${timed ? stepLine(mark, text, seconds, note, COLUMNS) : `${mark} ${text}   ${note}`.trimEnd()}\n`,
    );
    return outcome;
  }
}
