import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Static, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { clientProof, exportSession, machineProof, proofFailed, type Transcript, verifyProof } from '../boot/proof.js';
import { randomSecret } from '../boot/token.js';
import * as wire from '../boot/wire.js';
import { QuorateError, reasonOf } from '../errors.js';
import { subjectFrom } from '../pki/certificate.js';
import { peerOf } from '../pki/peer.js';
import { tracing } from '../tracing/tracing.js';
import { say } from './say.js';

/** What the operator may ask of machine 0 while it has no API server; each may be asked again. */
export interface BootSteps {
  /** Issues the operator's certificate. */
  enrol(request: string, user: string): Promise<string>;
  /** The operator's certificate was used: the token has served. */
  enrolled(): Promise<void>;
  temporal(connection: wire.TemporalConnection): Promise<void>;
  initiate(body: wire.Initiate): Promise<void>;
  seed(body: wire.Seed): Promise<void>;
  /** Hands the port over once the answer is sent. */
  serve(): Promise<void>;
  progress(): wire.Progress;
}

export interface BootListenerOptions {
  readonly address: string;
  readonly port: number;
  readonly environment: string;
  readonly machine: string;
  /** PEM */
  readonly tls: { readonly ca: string; readonly certificate: string; readonly key: string };
  /** Empty when it has served. */
  token(): string;
  readonly steps: BootSteps;
}

const LONGEST_BODY = 256 * 1024;

/** Answers on the API's port until the API server takes over. */
export async function startBootListener(options: BootListenerOptions): Promise<{ close(): Promise<void> }> {
  const { ca, certificate, key } = options.tls;
  const server = createServer(
    { ca, cert: certificate, key, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false },
    new BootProtocol(options).answer,
  );
  server.requestTimeout = 30_000;
  server.listen(options.port, options.address);
  await once(server, 'listening');
  return { close: () => close(server) };
}

function spanOf({ headers }: IncomingMessage) {
  return { from: headers, kind: 'server' } as const;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  // Whoever keeps a connection open would keep the port.
  setTimeout(() => server.closeAllConnections(), 200).unref();
  await closed;
}

class BootProtocol {
  /** What was said on a connection, for the proof that follows on the same one. */
  readonly #transcripts = new WeakMap<TLSSocket, Transcript>();

  constructor(private readonly options: BootListenerOptions) {}

  readonly answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const work = () => this.#dispatch(request);
      const spans = tracing();
      send(
        response,
        200,
        await (spans === null
          ? work()
          : spans.within(`${request.method} ${request.url?.slice(0, 100)}`, spanOf(request), work)),
      );
    } catch (error) {
      if (error instanceof QuorateError) {
        send(response, statusOf(error), { code: error.code, message: error.message, todo: error.todo });
      } else {
        say(`boot: ${request.method} ${request.url} failed: ${reasonOf(error)}`, 'warn');
        send(response, 500, { code: 'failed', message: reasonOf(error), todo: '' });
      }
    }
  };

  async #dispatch(request: IncomingMessage): Promise<unknown> {
    const { steps } = this.options;
    const body = await readBody(request);
    const socket = request.socket as TLSSocket;
    if (request.url?.startsWith('/v1/')) {
      throw new QuorateError('bootstrapping', 'This machine is being bootstrapped and has no API yet.');
    }
    switch (`${request.method} ${request.url}`) {
      case 'POST /boot/hello':
        return this.#hello(socket, check(wire.Hello, body));
      case 'POST /boot/enrol':
        return this.#enrol(socket, check(wire.Enrol, body));
    }
    await this.#requireOperator(socket);
    switch (`${request.method} ${request.url}`) {
      case 'GET /boot/progress':
        break;
      case 'POST /boot/temporal':
        await steps.temporal(check(wire.TemporalConnection, body));
        break;
      case 'POST /boot/initiate':
        await steps.initiate(check(wire.Initiate, body));
        break;
      case 'POST /boot/seed':
        await steps.seed(check(wire.Seed, body));
        break;
      case 'POST /boot/serve':
        await steps.serve();
        break;
      default:
        throw new QuorateError('not-found', `${request.method} ${request.url} is not part of a bootstrap.`);
    }
    return steps.progress();
  }

  #hello(socket: TLSSocket, { nonce }: wire.Hello): wire.HelloAnswer {
    const token = this.options.token();
    if (token === '') throw proofFailed();
    const { environment, machine, tls } = this.options;
    const transcript = {
      environment,
      machine,
      clientNonce: nonce,
      machineNonce: randomSecret(),
      exporter: exportSession(socket),
      ca: tls.ca,
    };
    this.#transcripts.set(socket, transcript);
    return { nonce: transcript.machineNonce, ca: tls.ca, proof: machineProof(token, transcript) };
  }

  async #enrol(socket: TLSSocket, { request, user, proof }: wire.Enrol): Promise<wire.EnrolAnswer> {
    const token = this.options.token();
    const transcript = this.#transcripts.get(socket);
    // One try for each greeting.
    this.#transcripts.delete(socket);
    if (token === '' || transcript === undefined) throw proofFailed();
    verifyProof(clientProof(token, transcript, request), proof);
    return { certificate: await this.options.steps.enrol(request, user) };
  }

  async #requireOperator(socket: TLSSocket): Promise<void> {
    const peer = socket.authorized ? peerOf(socket) : null;
    const subject = peer === null ? null : subjectFrom(peer.subject);
    if (subject?.ou !== 'operator' || subject.o !== this.options.environment) {
      throw new QuorateError('not-allowed', "This needs the operator's certificate of this environment.");
    }
    await this.options.steps.enrolled();
  }
}

function statusOf(error: QuorateError): number {
  switch (error.code) {
    case 'proof-failed':
    case 'not-allowed':
      return 403;
    case 'bad-request':
    case 'bad-certificate-request':
      return 400;
    case 'not-found':
      return 404;
    default:
      return 503;
  }
}

function check<T extends TSchema>(schema: T, body: unknown): Static<T> {
  if (Value.Check(schema, body)) return body;
  const first = Value.Errors(schema, body).First();
  throw new QuorateError('bad-request', `${first?.path || 'The body'}: ${first?.message ?? 'not as expected'}.`);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_BODY) throw new QuorateError('bad-request', 'The body is too long.');
    chunks.push(chunk);
  }
  if (length === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw new QuorateError('bad-request', `The body is not JSON: ${reasonOf(error)}.`);
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
