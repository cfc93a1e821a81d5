import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { type Authority, createAuthority, issueWithKey } from '../../src/pki/authority.js';

/** What the front answers to a call instead of passing it on: a gRPC status, and its message. */
export interface Refused {
  readonly code: number;
  readonly message: string;
}

/** A key and its certificate, PEM. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** The name in the front's certificate. */
export const FRONT_NAME = 'frontend.temporal.test';

/**
 * Stands for the frontend of a Temporal cluster that speaks TLS and knows who may what, which `temporal server start-dev` does
 * not: TLS and HTTP/2 are real, everything that is let in is answered by the real server behind it.
 */
export class TemporalFront {
  /** How often each call has come, by its name: `PollWorkflowTaskQueue`. */
  readonly calls = new Map<string, number>();
  /** What is refused, by the service's and the call's name, the namespace asked for, and the API key shown. */
  refuses: (call: { service: string; name: string; namespace: string; key: string | null }) => Refused | null = () =>
    null;
  /** Whether a connection that comes in is taken; asked before TLS. */
  admits: () => boolean = () => true;
  readonly #sessions = new Set<ServerHttp2Session>();
  #upstream: ClientHttp2Session | null = null;

  private constructor(
    private readonly server: Http2SecureServer,
    private readonly target: string,
    /** What clients are to trust, PEM. */
    readonly ca: string,
    private readonly clients: Authority,
  ) {
    server.on('connection', (socket: Socket) => {
      if (!this.admits()) socket.destroy();
    });
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      session.on('error', () => undefined);
    });
    server.on('stream', (stream, headers) => this.#answer(stream, headers));
  }

  /**
   * @param target host:port of the server behind it
   * @param options `mutual`: nobody without a client certificate of this front's gets in
   */
  static async start(
    target: string,
    { mutual, host = '127.0.0.1', port = 0 }: { mutual: boolean; host?: string; port?: number },
  ): Promise<TemporalFront> {
    const [own, clients] = await Promise.all([createAuthority('temporal'), createAuthority('clients')]);
    const subject = { cn: FRONT_NAME, ou: 'service', o: 'temporal' } as const;
    const { certificate, key } = await issueWithKey(own, { subject, names: [FRONT_NAME], addresses: [host] });
    const server = createSecureServer({
      cert: certificate,
      key,
      ca: clients.certificate,
      requestCert: mutual,
      rejectUnauthorized: mutual,
    });
    server.on('sessionError', () => undefined);
    server.listen(port, host);
    await once(server, 'listening');
    return new TemporalFront(server, target, own.certificate, clients);
  }

  get address(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `${address}:${port}`;
  }

  /** A client certificate that the front takes. */
  client(): Promise<Pair> {
    return issueWithKey(this.clients, { subject: { cn: 'client', ou: 'operator', o: 'clients' } });
  }

  /** Ends all connections; they may come again. */
  cut(): void {
    for (const session of this.#sessions) session.destroy();
  }

  async stop(): Promise<void> {
    this.server.close();
    this.cut();
    this.#upstream?.destroy();
    if (this.server.listening) await once(this.server, 'close');
  }

  #answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => undefined);
    const [, service = '', name = ''] = String(headers[':path']).split('/');
    const authorization = headers.authorization;
    const key = authorization?.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : null;
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
    const namespace = String(headers['temporal-namespace'] ?? '');
    const refused = this.refuses({ service: service.split('.').at(-1) ?? '', name, namespace, key });
    if (refused === null) {
      this.#pass(stream, headers);
      return;
    }
    const status = { 'grpc-status': String(refused.code), 'grpc-message': encodeURIComponent(refused.message) };
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...status }, { endStream: true });
  }

  /** One call is one answer, with or without a message before its trailers. */
  #pass(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const passed = this.#connected().request({ ...withoutHop(headers), ':authority': this.target });
    passed.on('error', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    stream.once('close', () => passed.close(constants.NGHTTP2_CANCEL));
    stream.pipe(passed);
    let trailers: IncomingHttpHeaders = {};
    passed.once('response', (answer, flags) => {
      if (stream.destroyed) return;
      const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(answer, { endStream, waitForTrailers: !endStream });
      if (endStream) return;
      stream.once('wantTrailers', () => stream.sendTrailers(trailers));
      passed.pipe(stream);
    });
    passed.once('trailers', (last) => {
      trailers = last;
    });
  }

  #connected(): ClientHttp2Session {
    if (this.#upstream === null || this.#upstream.destroyed || this.#upstream.closed) {
      this.#upstream = connect(`http://${this.target}`);
      this.#upstream.on('error', () => undefined);
    }
    return this.#upstream;
  }
}

const withoutHop = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== ':authority' && name !== 'host'));
