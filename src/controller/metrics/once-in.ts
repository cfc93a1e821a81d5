/** Does something when it is asked for, at most once in so long: whoever asks in between gets what it gave last. */
export class OnceIn<T> {
  #last: { readonly at: number; readonly value: Promise<T> } | null = null;

  /** `work` must not reject; `now` is a monotonic clock's, in milliseconds. */
  constructor(
    private readonly ms: number,
    private readonly work: () => Promise<T>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get(): Promise<T> {
    const now = this.now();
    if (this.#last === null || now - this.#last.at >= this.ms) this.#last = { at: now, value: this.work() };
    return this.#last.value;
  }
}
