/** One caller's patience: a time and, maybe, a signal. `end` must be called by who made it. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #caller: AbortSignal | undefined;
  readonly #onCaller = () => this.cancel(this.#caller?.reason);
  #passed = false;

  constructor(timeoutMs: number, caller?: AbortSignal) {
    this.#caller = caller;
    this.#timer = setTimeout(() => {
      this.#passed = true;
      this.cancel(new Error('timed out'));
    }, timeoutMs);
    if (caller?.aborted) this.#onCaller();
    caller?.addEventListener('abort', this.#onCaller);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether it ended because the time was over. */
  get passed(): boolean {
    return this.#passed;
  }

  cancel(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Waits for something that others may wait for too; rejects with the signal's reason when the patience ends first. */
  async wait<T>(shared: Promise<T>): Promise<T> {
    let onAbort = () => {};
    const ended = new Promise<never>((_, reject) => {
      onAbort = () => reject(this.signal.reason);
      if (this.signal.aborted) onAbort();
      this.signal.addEventListener('abort', onAbort);
    });
    try {
      return await Promise.race([shared, ended]);
    } finally {
      this.signal.removeEventListener('abort', onAbort);
    }
  }

  async sleep(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    try {
      await this.wait(over);
    } finally {
      clearTimeout(timer);
    }
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#onCaller);
  }
}

/** Jittered exponential back-off: many clients that lost the same controller do not come back in step. */
export function backoff(attempt: number, longestMs = 500): number {
  return Math.min(20 * 2 ** attempt, longestMs) * (0.5 + Math.random() / 2);
}
