/** Waits for what comes, or for so long. */
export class Waker {
  #due = false;
  #wake = () => {};

  /** Whoever waits goes on, or does not begin to wait. */
  now(): void {
    this.#due = true;
    this.#wake();
  }

  /** @param ms null: however long it takes */
  async wait(ms: number | null): Promise<void> {
    if (!this.#due) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (ms !== null) setTimeout(resolve, ms);
      });
    }
    this.#due = false;
  }
}
