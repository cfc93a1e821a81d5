import { constants, createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import { ROUTES, type Route, type RouteName } from '../api/routes.js';
import { CLOSE, WatchQuery } from '../api/sockets.js';
import { QuorateError } from '../errors.js';
import type { Identity } from '../pki/identity.js';
import type { Request } from '../state/requests.js';
import { tracing } from '../tracing/tracing.js';
import { logAnswer } from './access-log.js';
import { serveAgent } from './agent-socket.js';
import type { AuditLog } from './audit-log.js';
import type { Claimed } from './audited.js';
import { endSoon, endWith, refuseBroken } from './broken.js';
import { admitBrowser, serveBrowsers, spokenProtocol } from './browsers.js';
import type { Call, Controller } from './call.js';
import { checked } from './checked.js';
import { Connections } from './connections.js';
import type { Directory } from './directory.js';
import { answerFor } from './errors.js';
import { HANDLERS } from './handlers.js';
import { IDEMPOTENCY_KEY } from './idempotency-key.js';
import type { Caller, Login } from './login.js';
import type { OperationDesk } from './operation-desk.js';
import { Origins } from './origins.js';
import { servePage } from './page.js';
import type { PresenceBatch } from './presence-batch.js';
import { REQUEST_ID, requestIdOf } from './request-id.js';
import type { RollCall } from './roll-call.js';
import { close } from './socket.js';
import type { StatusIntake } from './status-intake.js';
import { TokenSockets } from './token-sockets.js';
import { requestTracing } from './trace-requests.js';
import type { Trust } from './trust.js';
import { serveWatch } from './watch-socket.js';

export interface ServerParts extends Controller {
  readonly directory: Directory;
  readonly presence: PresenceBatch;
  readonly rollCall: RollCall;
  readonly operations: OperationDesk;
  readonly statusIntake: StatusIntake;
  readonly login: Login;
  readonly audit: AuditLog;
  readonly trust: Trust;
}

const BODY = 64 * 1024;
/** All 5,000 agents while the others are away, with those who watch and ask; each costs some 40 kB. */
const CONNECTIONS = 8000;
/** Connections that may wait to be taken, when the agents of another controller all come at once. */
const BACKLOG = 4096;
const MESSAGE = 256 * 1024;
const SOCKETS_ALIVE_MS = 10_000;
const LEAVING_MS = 1000;
const CUT_OFF_LOOK_MS = 500;

/** What every secure context has, the first one and those that follow it when certificates change. */
const tlsOf = ({ ca, certificate, key }: Identity): SecureContextOptions => ({
  ca,
  cert: certificate,
  key,
  minVersion: 'TLSv1.3',
  // No client of ours resumes a session, and what that would need is 13 kB a connection.
  secureOptions: constants.SSL_OP_NO_TICKET,
});

function newApp(identity: Identity) {
  return fastify({
    https: {
      ...tlsOf(identity),
      requestCert: true,
      // Whoever shows none may still ping and enrol; the login looks at the verdict.
      rejectUnauthorized: false,
      handshakeTimeout: 5000,
      noDelay: true,
      connectionsCheckingInterval: 2000,
    },
    bodyLimit: BODY,
    requestTimeout: 10_000,
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
    // Its own answer says nothing that a client could act on.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 300 },
    clientErrorHandler: refuseBroken,
    // Of paths that cannot be read: answered like everything else.
    frameworkErrors: (error, request, reply) => {
      const { status, body } = answerFor(error, 'a path', request.id);
      (reply as FastifyReply).code(status).header(REQUEST_ID, request.id).send(body);
    },
    genReqId: ({ headers }) => requestIdOf(headers),
  });
}

/** What is learnt of a request on its way, for the audit log. */
interface Known {
  readonly name: RouteName;
  /** Asked for while the connection is there: afterwards nobody knows it. */
  readonly address: string;
  caller: Caller | null;
  claimed: Claimed | null;
  /** Of the refusal that it is answered with. */
  code: string;
}

/** The API on one address. `close` lets requests under way finish and sends everybody else to another controller. */
export class ApiServer {
  readonly #app: ReturnType<typeof newApp>;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE,
    perMessageDeflate: false,
    handleProtocols: spokenProtocol,
  });
  readonly #origins: Origins;
  readonly #alive = new WeakSet<WebSocket>();
  /** Whose they are: null for people and programs. */
  readonly #upgraded = new Map<WebSocket, { readonly machine: string | null; readonly stream: TLSSocket }>();
  #ca: string;
  readonly #tokenSockets: TokenSockets;
  readonly #known = new WeakMap<IncomingMessage, Known>();
  readonly #beat: NodeJS.Timeout;
  readonly #looking: NodeJS.Timeout;
  readonly #connections = new Connections();
  #leaving = false;

  constructor(private readonly parts: ServerParts) {
    this.#ca = parts.trust.ca;
    parts.metrics.countConnected(() => this.#connections.count());
    this.#app = newApp(parts.trust.tls);
    this.#tokenSockets = new TokenSockets(parts.feed);
    this.#origins = new Origins(parts.state, parts.reader, parts.feed);
    serveBrowsers(this.#app, this.#origins);
    this.#app.addHook('onRequest', async (request, reply) => {
      reply.header(REQUEST_ID, request.id);
      if (!this.#leaving) return;
      throw new QuorateError('leaving', 'This controller leaves; nothing was done.', { todo: 'Ask another one.' });
    });
    this.#app.setErrorHandler((error, request, reply) => {
      const what = `${request.method} ${request.routeOptions.url}`;
      const { status, body, headers = {} } = answerFor(error, what, request.id);
      const known = this.#known.get(request.raw);
      if (known !== undefined) known.code = body.code;
      // Of a body that was not read to its end Fastify would close the connection at once.
      if (reply.getHeader('connection') === 'close') {
        reply.removeHeader('connection');
        if (!request.raw.complete) request.raw.once('end', endSoon(request.raw.socket));
      }
      return reply.code(status).headers(headers).send(body);
    });
    this.#app.setNotFoundHandler((request, reply) =>
      reply.code(404).send({
        code: 'not-found',
        message: `There is no ${request.method} ${request.url.slice(0, 100)}.`,
        todo: 'What there is: /v1/openapi.json.',
      }),
    );
    const spans = tracing();
    if (spans !== null) {
      const hooks = requestTracing(spans);
      this.#app.addHook('onRequest', hooks.onRequest);
      this.#app.addHook('onResponse', hooks.onResponse);
    }
    this.#app.addHook('onResponse', async (request, reply) => this.#answered(request, reply));
    for (const name of Object.keys(HANDLERS) as (keyof typeof HANDLERS)[]) this.#answer(name);
    servePage(this.#app);
    const { server } = this.#app;
    server.maxConnections = CONNECTIONS;
    server.headersTimeout = 5000;
    server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
    this.#beat = setInterval(() => this.#dropDead(), SOCKETS_ALIVE_MS).unref();
    this.#looking = setInterval(() => this.#letGoIfCutOff(), CUT_OFF_LOOK_MS).unref();
  }

  /**
   * New connections are served with these. Of those that are there an agent's ends whose certificate is not trusted any more,
   * and a watch, as whoever watches learns whom to trust when it connects; both are made again at once.
   */
  useCertificates(identity: Identity): void {
    (this.#app.server as Server).setSecureContext(tlsOf(identity));
    const others = identity.ca !== this.#ca;
    this.#ca = identity.ca;
    if (!others) return;
    for (const [socket, { machine, stream }] of this.#upgraded) {
      if (machine !== null && this.parts.trust.admits(stream)) continue;
      close(socket, CLOSE.again, 'whom the environment trusts has changed');
    }
  }

  async listen(): Promise<void> {
    const { address, port } = this.parts.config.listen;
    await this.#app.listen({ host: address, port, backlog: BACKLOG });
  }

  async close(): Promise<void> {
    this.#leaving = true;
    clearInterval(this.#beat);
    clearInterval(this.#looking);
    for (const socket of this.#sockets.clients) close(socket, CLOSE.leaving, 'this controller leaves');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, LEAVING_MS);
    });
    await Promise.race([this.#app.close(), late]);
    clearTimeout(timer);
    this.#app.server.closeAllConnections();
  }

  #answer<N extends keyof typeof HANDLERS>(name: N): void {
    const route: Route = ROUTES[name];
    this.#app.route({
      method: route.method,
      url: route.path,
      bodyLimit: route.largestBody ?? BODY,
      handler: async (request, reply) => {
        if (route.own !== true) this.#refuseIfCutOff();
        const known: Known = { name, address: request.ip ?? '', caller: null, claimed: null, code: '' };
        this.#known.set(request.raw, known);
        const caller =
          route.may === 'anyone'
            ? null
            : await this.parts.login.require(request.raw, route, (who) => {
                known.caller = who;
              });
        const call = {
          params: request.params as Record<string, string>,
          query: checked(route.query, request.query, 'query'),
          body: checked(route.body, request.body, 'body'),
          caller,
          request: route.change ? requestOf(request, route.body !== undefined, caller) : null,
          address: known.address,
          claim: (claimed: Claimed) => {
            known.claimed = claimed;
          },
        };
        const answer = await HANDLERS[name](this.parts, call as unknown as Call<N>);
        if (route.text !== undefined) reply.type(route.text);
        return reply.code(route.status ?? 200).send(answer);
      },
    });
  }

  #answered(request: FastifyRequest, reply: FastifyReply): void {
    const { id: requestId, method, url, raw } = request;
    const { statusCode: status, elapsedTime: ms } = reply;
    this.parts.metrics.answered({ method, route: request.routeOptions.url ?? 'none', status, seconds: ms / 1000 });
    logAnswer({ requestId, method, url, status, ms });
    const known = this.#known.get(raw);
    if (known === undefined) return;
    this.parts.audit.answered({ ...known, route: ROUTES[known.name], url, requestId, status });
  }

  async #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    // A peer that is gone before it is answered is no news.
    stream.on('error', destroyThat);
    const requestId = requestIdOf(request.headers);
    try {
      const url = new URL(request.url ?? '', 'https://controller');
      const name = (['watch', 'agent'] as const).find((socket) => ROUTES[socket].path === url.pathname);
      if (name === undefined)
        throw new QuorateError('not-found', `There is no WebSocket ${url.pathname.slice(0, 100)}.`);
      this.#refuseIfCutOff();
      await admitBrowser(request, this.#origins);
      const caller = await this.parts.login.require(request, ROUTES[name]);
      const query = checked(WatchQuery, Object.fromEntries(url.searchParams), 'query');
      this.#sockets.handleUpgrade(request, stream, head, (socket) => {
        this.#accept(socket);
        this.#upgraded.set(socket, { machine: caller.machine, stream: request.socket as TLSSocket });
        socket.once('close', () => this.#upgraded.delete(socket));
        if (caller.credential !== null) this.#endWithToken(socket, request, ROUTES[name], caller.credential);
        this.#connections.add(socket, caller.machine);
        if (name === 'agent') serveAgent(socket, this.parts, caller.machine ?? '');
        else void serveWatch(socket, this.parts, query?.after as string | undefined);
      });
    } catch (error) {
      const { status, body, headers: more = {} } = answerFor(error, 'upgrade', requestId);
      endWith(stream, status, body, { ...more, [REQUEST_ID]: requestId });
    }
  }

  #accept(socket: WebSocket): void {
    this.#alive.add(socket);
    socket.on('pong', () => this.#alive.add(socket));
    socket.on('ping', () => this.#alive.add(socket));
    // An error is followed by `close`.
    socket.on('error', () => {});
  }

  /** Asked once more after it is listed: the token may have become void in between. */
  #endWithToken(socket: WebSocket, request: IncomingMessage, route: Route, credential: string): void {
    this.#tokenSockets.add(socket, credential);
    this.parts.login.require(request, route).catch(() => close(socket, CLOSE.again, 'ask for it again'));
  }

  /** What it could say would be old, and what it is told it could not write, while other controllers can. */
  #refuseIfCutOff(): void {
    const primary = this.parts.state.view.cutOffFrom;
    if (primary === null) return;
    throw new QuorateError(
      'cut-off',
      `This controller does not reach the primary, ${primary}, which others do; nothing was done.`,
      { todo: 'Ask another one.' },
    );
  }

  /** Agents and watches find another controller. */
  #letGoIfCutOff(): void {
    if (this.parts.state.view.cutOffFrom === null) return;
    for (const socket of this.#sockets.clients)
      close(socket, CLOSE.again, 'this controller is cut off from the primary');
  }

  /** Peers that vanished without a word. Agents on the roll are looked after there. */
  #dropDead(): void {
    for (const socket of this.#sockets.clients) {
      if (this.parts.rollCall.has(socket)) continue;
      if (!this.#alive.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }
}

/** Not made where a request is at hand: it would be kept for as long as the connection lives. */
function destroyThat(this: Duplex): void {
  this.destroy();
}

/** Whose change it is and what it says, so that the same request is known again at any controller. */
function requestOf(
  request: Pick<FastifyRequest, 'method' | 'url' | 'headers' | 'body'>,
  hasBody: boolean,
  caller: Caller | null,
): Request {
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)) {
    throw new QuorateError('no-idempotency-key', 'A change needs the header Idempotency-Key.', {
      todo: 'Give every change a key of its own, and send the same key when the same change is sent again.',
      exit: 2,
    });
  }
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([request.method, request.url, (hasBody ? request.body : null) ?? null]))
    .digest('hex');
  return { key: `${caller?.user ?? ''}/${key}`, fingerprint };
}
