import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { WebSocket } from 'ws';
import type { TlsFiles } from '../../src/client/client.js';

export interface Target {
  /** host:port */
  readonly address: string;
  readonly environment: string;
  readonly tls: TlsFiles;
  readonly token?: string;
  readonly localAddress?: string;
}

/** The answer to one request, with nothing of the client's in between. */
export async function call(
  ...asked: Parameters<typeof exchange>
): Promise<Omit<Awaited<ReturnType<typeof exchange>>, 'headers'>> {
  const { status, body } = await exchange(...asked);
  return { status, body };
}

/** One request as it is, and all of its answer; text that is not JSON is in `body.text`. */
export async function exchange(
  target: Target,
  method: string,
  path: string,
  options: { body?: unknown; raw?: string; key?: string; headers?: Record<string, string> } = {},
): Promise<{
  status: number;
  body: Record<string, never> & { [name: string]: unknown };
  headers: IncomingHttpHeaders;
}> {
  const text = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const outgoing = request({
    ...connection(target),
    method,
    path,
    agent: false,
    headers: {
      ...(target.token ? { authorization: `Bearer ${target.token}` } : {}),
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
      ...(options.key === undefined ? {} : { 'idempotency-key': options.key }),
    },
  });
  // Until it is answered an error is awaited below; one that comes later shows in the reading of the answer.
  outgoing.on('error', () => {});
  outgoing.end(text);
  const [incoming] = await once(outgoing, 'response');
  let answer = '';
  for await (const part of incoming.setEncoding('utf8')) answer += part;
  const json = /json/.test(incoming.headers['content-type'] ?? '');
  return {
    status: incoming.statusCode,
    body: answer === '' ? {} : json ? JSON.parse(answer) : { text: answer },
    headers: incoming.headers,
  };
}

/** One connection that is written to by hand; `end` gives all that came once the other side has closed it. */
export async function rawConnection(target: Target): Promise<{ write(text: string): void; end: Promise<string> }> {
  const { port, ...rest } = connection(target);
  const socket = connect({ ...rest, port: Number(port) });
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const end = once(socket, 'close').then(() => text);
  await once(socket, 'secureConnect');
  return { write: (part) => void socket.write(part), end };
}

/** A WebSocket that keeps what it is told. */
export class TestSocket {
  readonly messages: Record<string, unknown>[] = [];
  readonly closed: Promise<number>;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => this.messages.push(JSON.parse(String(data))));
    this.closed = new Promise((resolve) => socket.on('close', (code) => resolve(code)));
    socket.on('error', () => {});
  }

  static async open(target: Target, path: string): Promise<TestSocket> {
    const socket = new WebSocket(`wss://${target.address}${path}`, {
      ...connection(target),
      headers: target.token ? { authorization: `Bearer ${target.token}` } : {},
    });
    const opened = new TestSocket(socket);
    await once(socket, 'open');
    return opened;
  }

  say(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }
}

function connection({ address, environment, tls, localAddress }: Target) {
  const [host, port] = address.split(':');
  return {
    host,
    port,
    ca: tls.ca,
    cert: tls.certificate,
    key: tls.key,
    servername: `${environment}.quorate`,
    ...(localAddress ? { localAddress } : {}),
  };
}
