import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ErrorBody } from '../api/errors.js';

/**
 * Refusals of what is no request at all, and the ends of connections on which something was refused. A connection that is
 * closed while its peer still sends is reset, and with that the answer is lost; so it is read on for a moment, and for no
 * longer.
 */
const READ_ON_MS = 500;

/** Why HTTP could not be read, as Node's parser calls it. */
const BY_CODE: Readonly<Record<string, { readonly status: number; readonly code: string; readonly message: string }>> =
  {
    HPE_HEADER_OVERFLOW: { status: 431, code: 'too-large', message: 'The path and the headers are too long.' },
    HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, code: 'too-large', message: 'The chunks’ extensions are too long.' },
    ERR_HTTP_REQUEST_TIMEOUT: {
      status: 408,
      code: 'too-slow',
      message: 'The request did not come to its end in time.',
    },
  };
const NOT_HTTP = { status: 400, code: 'bad-request', message: 'This is no HTTP request.' };

/** Answers what Node could not read as a request, and ends the connection. What is no TLS gets no answer. */
export function refuseBroken(error: Error & { readonly code?: string }, socket: Duplex): void {
  const { code = '' } = error;
  const refusal = BY_CODE[code] ?? (code.startsWith('HPE_') ? NOT_HTTP : null);
  if (refusal === null) {
    socket.destroy();
    return;
  }
  // Of what comes after it, each piece is no request either.
  if (!socket.writable) return;
  const { status, ...words } = refusal;
  endWith(socket, status, { ...words, todo: '' });
}

/** Writes one answer and ends the connection. */
export function endWith(
  socket: Duplex,
  status: number,
  body: ErrorBody,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  const lines = Object.entries({
    ...headers,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`);
  endSoon(socket);
}

/** Ends a connection in a moment, whatever its peer does. @returns what calls that off */
export function endSoon(socket: Duplex): () => void {
  const timer = setTimeout(() => socket.destroy(), READ_ON_MS).unref();
  socket.once('close', () => clearTimeout(timer));
  return () => clearTimeout(timer);
}
