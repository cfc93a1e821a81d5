import type { WebSocket } from 'ws';
import { CLOSE } from '../api/sockets.js';

/** Bytes that may wait for one reader. */
const LARGEST_BACKLOG = 1_000_000;
const CLOSING_MS = 1000;

/** Sends text to a peer that reads; one that does not is dropped, never buffered for without end. False: it is gone. */
export function send(socket: WebSocket, text: string): boolean {
  if (socket.readyState !== socket.OPEN) return false;
  if (socket.bufferedAmount > LARGEST_BACKLOG) {
    close(socket, CLOSE.slow, 'what was sent is not read');
    return false;
  }
  socket.send(text);
  return true;
}

/** Closes in order, and for good when the peer does not answer that. */
export function close(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.close(code, reason);
  setTimeout(() => socket.terminate(), CLOSING_MS).unref();
}
