import type { WebSocket } from 'ws';
import { CLOSE } from '../api/sockets.js';
import type { Feed } from './feed.js';
import { close } from './socket.js';

/** WebSockets that a token opened: they end with it, at every controller. */
export class TokenSockets {
  readonly #sockets = new Map<WebSocket, string>();

  constructor(feed: Feed) {
    feed.subscribe({
      onEvent: ({ kind, id, document }) => {
        if (kind === 'credentials' && document === null) this.#end((credential) => credential === id);
      },
      // It may have become void meanwhile: whoever dials again is asked for it.
      onGap: () => this.#end(() => true),
    });
  }

  add(socket: WebSocket, credential: string): void {
    this.#sockets.set(socket, credential);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #end(which: (credential: string) => boolean): void {
    for (const [socket, credential] of this.#sockets) {
      if (which(credential)) close(socket, CLOSE.again, 'the token that opened it is void');
    }
  }
}
