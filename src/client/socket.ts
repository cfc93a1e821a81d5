import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { QuorateError, reasonOf } from '../errors.js';
import { decode } from './answer.js';
import type { Connected } from './dial.js';
import { Silence } from './silence.js';

export interface SocketOptions {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly host: string;
  readonly heartbeatMs: number;
  readonly upgradeMs: number;
  readonly signal: AbortSignal;
}

/** A message larger than this is nobody's. */
const LARGEST_MESSAGE = 16_000_000;
/** Heartbeats that a controller may be silent. */
const PATIENCE = 4;
/** Unsent bytes from which on a peer counts as one that does not read. */
const LARGEST_BACKLOG = 4_000_000;

/** A WebSocket to one controller, with a heartbeat: `onClose` comes at once for a reset and soon for silence. */
export class ControllerSocket {
  readonly address: string;
  readonly machine: string;
  readonly #socket: WebSocket;
  readonly #stream: Connected['socket'];
  #ticking: NodeJS.Timeout | undefined;

  private constructor(connected: Connected, socket: WebSocket) {
    this.address = connected.address;
    this.machine = connected.machine;
    this.#stream = connected.socket;
    this.#socket = socket;
    socket.once('close', () => clearInterval(this.#ticking));
  }

  /** Upgrades a connection that won the race. Rejects with the server's own error when it refuses. */
  static open(connected: Connected, options: SocketOptions): Promise<ControllerSocket> {
    const { signal } = options;
    const socket = new WebSocket(`ws://${options.host}${options.path}`, {
      createConnection: () => connected.socket,
      headers: options.headers,
      perMessageDeflate: false,
      maxPayload: LARGEST_MESSAGE,
    });
    return new Promise((resolve, reject) => {
      const end = (error: unknown) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        connected.socket.destroy();
        reject(error);
      };
      const onAbort = () => end(signal.reason);
      const timer = setTimeout(() => end(new Error('no answer')), options.upgradeMs);
      signal.addEventListener('abort', onAbort);
      socket.on('error', end);
      socket.once('unexpected-response', (_, answer) => {
        refusal(answer).then(end, end);
      });
      socket.once('open', () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        socket.off('error', end);
        // An error is followed by `close`, which is listened for.
        socket.on('error', () => {});
        // Nothing is read until somebody listens.
        socket.pause();
        const opened = new ControllerSocket(connected, socket);
        opened.useHeartbeat(options.heartbeatMs, PATIENCE * options.heartbeatMs);
        resolve(opened);
      });
      if (signal.aborted) onAbort();
    });
  }

  /** Sends a message as JSON; false when the connection is gone or the peer does not read. */
  send(message: unknown): boolean {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    if (this.#socket.bufferedAmount > LARGEST_BACKLOG) {
      this.#socket.terminate();
      return false;
    }
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Starts reading. Messages that are not JSON end the connection. */
  onMessage(listener: (message: unknown) => void): void {
    this.#socket.on('message', (data) => {
      let message: unknown;
      try {
        message = JSON.parse(data.toString());
      } catch {
        this.#socket.close(1007, 'not JSON');
        return;
      }
      listener(message);
    });
    this.#socket.resume();
  }

  /** Called once, with the reason in words; at once when the connection is gone already. */
  onClose(listener: (reason: string) => void): void {
    if (this.#socket.readyState === WebSocket.CLOSED) {
      queueMicrotask(() => listener('closed'));
      return;
    }
    this.#socket.once('close', (code, reason) => listener(reason.toString() || `closed (${code})`));
  }

  /** Reads no more until `resume`: whoever cannot keep up is not buffered for without end. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.close(1000);
    // A peer that does not answer the closing handshake is not waited for.
    setTimeout(() => this.#socket.terminate(), 500).unref();
  }

  /** How long it may hear nothing before it asks, and before it ends. */
  useHeartbeat(ms: number, limitMs: number): void {
    clearInterval(this.#ticking);
    const silence = new Silence({ tickMs: ms, limitMs, now: performance.now() });
    let bytes = this.#stream.bytesRead;
    this.#ticking = setInterval(() => {
      const seen = this.#stream.bytesRead;
      const heard = seen !== bytes || this.#socket.isPaused;
      bytes = seen;
      if (silence.tick(performance.now(), heard)) this.#socket.terminate();
      else if (!heard && this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
    }, ms);
  }
}

/** What a server says that does not upgrade. */
async function refusal(answer: IncomingMessage): Promise<Error> {
  let body = '';
  try {
    for await (const part of answer.setEncoding('utf8')) body += part;
    decode({ status: answer.statusCode ?? 0, headers: answer.headers, body });
    return new Error(`HTTP status ${answer.statusCode}`);
  } catch (error) {
    const busy = answer.statusCode === 503 || answer.statusCode === 429;
    if (error instanceof QuorateError && !busy) return error;
    return new Error(reasonOf(error));
  }
}
