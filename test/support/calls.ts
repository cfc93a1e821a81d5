import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
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

/** One request as it is, with nothing of the client's in between. */
export async function call(
  target: Target,
  method: string,
  path: string,
  options: { body?: unknown; raw?: string; key?: string } = {},
): Promise<{ status: number; body: Record<string, never> & { [name: string]: unknown } }> {
  const text = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const outgoing = request({
    ...connection(target),
    method,
    path,
    agent: false,
    headers: {
      ...(target.token ? { authorization: `Bearer ${target.token}` } : {}),
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      ...(options.key === undefined ? {} : { 'idempotency-key': options.key }),
    },
  });
  outgoing.end(text);
  const { incoming, text: answer } = await answerTo(outgoing);
  return { status: incoming.statusCode ?? 0, body: answer === '' ? {} : JSON.parse(answer) };
}

async function answerTo(outgoing: ClientRequest): Promise<{ incoming: IncomingMessage; text: string }> {
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of incoming.setEncoding('utf8')) text += part;
  return { incoming, text };
}

/** Reads one path again and again over one connection, which is never idle, until that is closed; `answers` has what came so far. */
export async function callUntilClosed(
  target: Target,
  path: string,
  answers: { status: number; body: unknown }[],
): Promise<void> {
  const { port, ...rest } = connection(target);
  const agent = new Agent({ ...rest, port: Number(port), keepAlive: true, maxSockets: 1 });
  const one = async (): Promise<boolean> => {
    const outgoing = request({ agent, path, method: 'GET' });
    outgoing.end();
    const { incoming, text } = await answerTo(outgoing);
    answers.push({ status: incoming.statusCode ?? 0, body: JSON.parse(text) });
    return incoming.headers.connection !== 'close';
  };
  // With two of them there is always one waiting for the connection while the other is answered.
  const again = async (): Promise<void> => {
    while (await one());
  };
  await Promise.allSettled([again(), again()]);
  agent.destroy();
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
    const socket = new WebSocket(`wss://${target.address}${path}`, connection(target));
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
