import { duration } from '../api/duration.js';
import type { ChangeStep } from '../state/documents.js';
import type { Progress } from '../temporal/progress.js';
import { type OutputOptions, type Symbols, symbols } from './output.js';

/**
 * Shows a change's steps on stderr as they happen. On a terminal the list is redrawn in place; elsewhere nothing moves
 * and each finished step is one line.
 */
export class ProgressView {
  readonly #symbols: Symbols;
  readonly #moving: boolean;
  readonly #stream: NodeJS.WriteStream;
  readonly #footer: string;
  readonly #printed = new Set<string>();
  #latest: { progress: Progress; at: number } | null = null;
  #redraw: ((text: string) => void) | null = null;
  #ticker: NodeJS.Timeout | null = null;

  constructor(options: OutputOptions, footer = '', stream: NodeJS.WriteStream = process.stderr) {
    this.#symbols = symbols(options);
    this.#stream = stream;
    this.#moving = stream.isTTY === true;
    this.#footer = footer;
  }

  /** Loads the redrawing library; only a terminal needs it. */
  async start(): Promise<void> {
    if (!this.#moving) return;
    const { createLogUpdate } = await import('log-update');
    const update = createLogUpdate(this.#stream, { showCursor: true });
    this.#redraw = update;
    this.#ticker = setInterval(() => this.#draw(), 100);
    this.#ticker.unref();
  }

  update(progress: Progress): void {
    this.#latest = { progress, at: performance.now() };
    if (this.#redraw) this.#draw();
    else this.#printFinished(progress);
  }

  /** Leaves the finished steps on the screen and stops moving. */
  stop(): void {
    if (this.#ticker) clearInterval(this.#ticker);
    this.#ticker = null;
    if (!this.#redraw || !this.#latest) return;
    this.#redraw('');
    const lines = this.#latest.progress.steps
      .filter(({ state }) => state !== 'next')
      .map((step) => this.#line(step, 0));
    this.#redraw = null;
    if (lines.length > 0) this.#stream.write(`${lines.join('\n')}\n`);
  }

  #draw(): void {
    if (!this.#redraw || !this.#latest) return;
    const { progress, at } = this.#latest;
    const running = (performance.now() - at) / 1000;
    const lines = progress.steps.map((step) => this.#line(step, running));
    if (progress.waitingFor) {
      const left = Math.max(0, progress.waitingFor.untilSecondsLeft - running);
      lines.push(`  ${this.#symbols.note} at most ${duration(left)} more, then: ${progress.waitingFor.otherwise}`);
    }
    this.#redraw([...lines, ...(this.#footer ? ['', this.#footer] : [])].join('\n'));
  }

  #printFinished(progress: Progress): void {
    for (const [index, step] of progress.steps.entries()) {
      const key = `${index} ${step.text}`;
      const heard = `${key} ${step.said}`;
      if (isActive(step) && step.said && !this.#printed.has(heard)) {
        this.#printed.add(heard);
        this.#stream.write(`${this.#line(step, 0)}\n`);
      }
      if ((step.state === 'done' || step.state === 'failed') && !this.#printed.has(key)) {
        this.#printed.add(key);
        this.#stream.write(`${this.#line(step, 0)}\n`);
      }
    }
  }

  #line(step: ChangeStep, sinceUpdate: number): string {
    const mark = {
      done: this.#symbols.done,
      running: this.#symbols.running,
      waiting: this.#symbols.running,
      next: this.#symbols.next,
      failed: this.#symbols.failed,
    }[step.state];
    const active = isActive(step);
    const seconds = step.seconds === null ? null : step.seconds + (active ? sinceUpdate : 0);
    const line = stepLine(mark, step.text, seconds, '', this.#stream.columns ?? 80);
    return active && step.said ? `${line}\n  ${this.#symbols.note} ${step.said}` : line;
  }
}

const isActive = ({ state }: ChangeStep) => state === 'running' || state === 'waiting';

/** "✓ text                 0.9 s   note", the time in column 77 or just behind a longer text. */
export function stepLine(mark: string, text: string, seconds: number | null, note = '', width = 80): string {
  const time = seconds === null ? '' : duration(seconds);
  const tail = note ? `   ${note}` : '';
  const room = Math.max(20, Math.min(80, width) - 2 - time.length - 1);
  return `${mark} ${text.padEnd(time ? room : 0)}${time ? ` ${time}` : ''}${tail}`.trimEnd();
}
