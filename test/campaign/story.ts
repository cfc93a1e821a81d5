/** What happened, by the clock that the operations are recorded with. */
export class Story {
  readonly began = performance.now();
  readonly lines: { readonly at: number; readonly actor: string; readonly text: string }[] = [];
  readonly #onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  tell(actor: string, text: string): void {
    const line = { at: performance.now(), actor, text };
    this.lines.push(line);
    this.#onLine(this.words(line));
  }

  /** Seconds since the beginning. */
  seconds(at: number): string {
    return ((at - this.began) / 1000).toFixed(2).padStart(8);
  }

  words({ at, actor, text }: { at: number; actor: string; text: string }): string {
    return `${this.seconds(at)}  ${actor.padEnd(15)} ${text}`;
  }

  whole(): string {
    return this.lines.map((line) => this.words(line)).join('\n');
  }
}
