import { Context } from '@temporalio/activity';
import { reasonOf } from '../src/errors.js';

/** A decision older than this on the executor's own monotonic clock is void. */
export const DECISION_VALID_MS = 10_000;
const LOOK_MS = 200;
const BEAT_MS = 1000;

/**
 * The right to act of one attempt of a deed. It ends with cancellation, with the worker's shutdown, when the decision
 * has grown old, and when Temporal has accepted no heartbeat for the heartbeat timeout: from then on another attempt may
 * run. The SDK's own `heartbeat` does not say whether it was accepted, so one is sent here too and its answer read.
 */
export class Decision {
  readonly #context: Context;
  readonly #began = performance.now();
  readonly #over = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** When the last heartbeat that was accepted was sent, and when the last one was sent at all. */
  #accepted = this.#began;
  #sent = this.#began;

  constructor(context: Context = Context.current()) {
    this.#context = context;
    const { cancellationSignal } = context;
    if (cancellationSignal.aborted) this.#over.abort(cancellationSignal.reason);
    cancellationSignal.addEventListener('abort', () => this.#over.abort(cancellationSignal.reason), { once: true });
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Aborted when the right to act has ended. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** To be called right before acting: throws when the right to act has ended. */
  check(): void {
    this.#look();
    this.#over.signal.throwIfAborted();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const timeout = this.#context.info.heartbeatTimeoutMs ?? Number.POSITIVE_INFINITY;
    if (now - this.#began > DECISION_VALID_MS) this.#over.abort(new Error('the decision is older than 10 s'));
    else if (now - this.#accepted > timeout) this.#over.abort(new Error('Temporal has accepted no heartbeat lately'));
    else if (now - this.#sent >= BEAT_MS) void this.#beat(now);
  }

  async #beat(now: number): Promise<void> {
    this.#sent = now;
    this.#context.heartbeat();
    const { client, info } = this.#context;
    try {
      await client.workflowService.recordActivityTaskHeartbeat({
        namespace: info.namespace,
        taskToken: info.taskToken,
        identity: client.options.identity,
      });
      this.#accepted = now;
    } catch (error) {
      // Temporal may be away for a moment; the right ends only when none is accepted for the whole timeout.
      this.#context.log.debug('heartbeat not accepted', { reason: reasonOf(error) });
    }
  }
}

/** Runs a deed with the right to act, and gives it up whatever happens. */
export async function deciding<T>(act: (decision: Decision) => Promise<T>): Promise<T> {
  const decision = new Decision();
  try {
    return await act(decision);
  } finally {
    decision.end();
  }
}
