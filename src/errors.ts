/**
 * An error meant for a person: what happened, to what, and what to do.
 *
 * Every refusal the product makes on purpose is one of these; anything else that reaches the edge is a defect and is shown
 * with its stack. `code` is stable and kebab-case (programs match on it), `message` is one sentence, `todo` says what to
 * do next (may be empty when nothing can be done).
 */
export class QuorateError extends Error {
  override readonly name = 'QuorateError';
  readonly code: string;
  readonly todo: string;
  /** Exit code of the CLI: 2 for wrong usage (nothing was tried), 1 for a failure. */
  readonly exit: 1 | 2;

  constructor(code: string, message: string, options: { todo?: string; exit?: 1 | 2; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.todo = options.todo ?? '';
    this.exit = options.exit ?? 1;
  }
}

/** Wrong usage: exit code 2, nothing was tried. */
export function usageError(code: string, message: string, todo = ''): QuorateError {
  return new QuorateError(code, message, { todo, exit: 2 });
}

/** The one sentence of any thrown thing, for messages that must name a cause. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
