import { QuorateError } from '../errors.js';
import type { ControllerSocket } from './socket.js';

/** One change of the environment as `/v1/watch` tells it. */
export interface WatchEvent {
  /** Where to go on after this event, at any controller. */
  readonly token: string;
  readonly kind: string;
  readonly id: string;
  readonly document: unknown;
}

/** From this many events on that nobody has taken, the connection is not read. */
const FULL = 256;

/**
 * Events in order, each once, over as many connections as it takes: when one is lost, the next is asked for what came after
 * the last event that was received. `connect` opens a connection that tells what came after a token; it retries by itself
 * and throws when there is no hope.
 */
export async function* watchEvents(
  connect: (after: string | undefined) => Promise<ControllerSocket>,
  options: { readonly after: string | undefined; readonly signal: AbortSignal },
): AsyncGenerator<WatchEvent, void> {
  const { signal } = options;
  let after = options.after;
  while (!signal.aborted) {
    const socket = await connect(after).catch((error) => {
      if (signal.aborted) return null;
      throw error;
    });
    if (!socket) return;
    const queue: WatchEvent[] = [];
    let closed = false;
    let failure: unknown = null;
    let wake = () => {};
    const onAbort = () => wake();
    signal.addEventListener('abort', onAbort);
    socket.onMessage((message) => {
      const event = message as WatchEvent & {
        readonly code?: string;
        readonly message?: string;
        readonly todo?: string;
      };
      if (event.kind === 'error') {
        failure = new QuorateError(event.code ?? 'watch-failed', event.message ?? 'the watch ended.', {
          todo: event.todo ?? '',
        });
      } else {
        after = event.token;
        // The first message only says where the watch begins, so that a connection lost before the first event skips none.
        if (event.kind !== 'start') queue.push(event);
        if (queue.length >= FULL) socket.pause();
      }
      wake();
    });
    socket.onClose(() => {
      closed = true;
      wake();
    });
    try {
      while (!signal.aborted) {
        const event = queue.shift();
        if (event) {
          if (queue.length === FULL / 2) socket.resume();
          yield event;
        } else if (failure) {
          throw failure;
        } else if (closed) {
          break;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      socket.close();
    }
  }
}
