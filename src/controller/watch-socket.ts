import type { WebSocket } from 'ws';
import { CLOSE } from '../api/sockets.js';
import { QuorateError, reasonOf } from '../errors.js';
import { follow, type StateEvent } from '../state/follow.js';
import type { State } from '../state/state.js';
import { type Feed, FOLLOWED } from './feed.js';
import { close, send } from './socket.js';
import { eventView } from './views.js';

export interface WatchContext {
  readonly state: State;
  readonly feed: Feed;
  /** The environment's key, of which names of changes are made. */
  readonly key: string;
}

/** Each event of the shared feed is put into words once, however many watch. */
const texts = new WeakMap<StateEvent, string | null>();

function textOf(event: StateEvent, key: string): string | null {
  const known = texts.get(event);
  if (known !== undefined) return known;
  const message = eventView(event, key);
  const text = message === null ? null : JSON.stringify(message);
  texts.set(event, text);
  return text;
}

/**
 * Serves `/v1/watch`: what came after the token, then what comes, in order and each once. From the shared feed when it
 * still has what came after the token, else from a stream of its own until that has caught up with the feed.
 */
export async function serveWatch(socket: WebSocket, context: WatchContext, after: string | undefined): Promise<void> {
  const { feed, state } = context;
  const ending = new AbortController();
  let leave = () => {};
  socket.on('close', () => {
    ending.abort();
    leave();
  });
  // Nothing is said by a watcher.
  socket.on('message', () => close(socket, CLOSE.badMessage, 'a watcher has nothing to say'));
  const tell = (event: StateEvent) => {
    const text = textOf(event, context.key);
    if (text !== null) send(socket, text);
  };
  const join = (missed: readonly StateEvent[]) => {
    for (const event of missed) tell(event);
    leave = feed.subscribe({ onEvent: tell, onGap: () => close(socket, CLOSE.again, 'go on from the last token') });
  };
  const start = (token: string) => send(socket, JSON.stringify({ token, kind: 'start', id: '', document: null }));

  try {
    if (after === undefined) {
      await Promise.race([feed.ready, new Promise((resolve) => ending.signal.addEventListener('abort', resolve))]);
      if (ending.signal.aborted || feed.tail === null) return;
      start(feed.tail);
      join([]);
      return;
    }
    start(after);
    const missed = feed.after(after);
    if (missed !== null) return join(missed);
    for await (const event of follow(state, FOLLOWED, { after, signal: ending.signal })) {
      tell(event);
      const rest = feed.after(event.token);
      if (rest !== null) return join(rest);
    }
  } catch (error) {
    const { code, message, todo } =
      error instanceof QuorateError ? error : { code: 'failed', message: reasonOf(error), todo: '' };
    send(socket, JSON.stringify({ kind: 'error', code, message, todo }));
    close(socket, code === 'token-too-old' ? CLOSE.tooOld : CLOSE.again, code);
  }
}
