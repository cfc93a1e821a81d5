/**
 * What was asked for a while ago and changes seldom. Two that ask at once ask once; a failure is not remembered.
 */
export class Remembered<T> {
  #value: Promise<T> | null = null;
  #until = 0;

  constructor(
    private readonly read: () => Promise<T>,
    private readonly forMs: number,
  ) {}

  get(): Promise<T> {
    if (this.#value !== null && performance.now() < this.#until) return this.#value;
    this.#until = performance.now() + this.forMs;
    const value = this.read();
    this.#value = value;
    value.catch(() => this.forget(value));
    return value;
  }

  /** Asks anew with the next `get`. */
  forget(value = this.#value): void {
    if (this.#value === value) this.#value = null;
  }
}
