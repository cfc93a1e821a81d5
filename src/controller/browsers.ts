import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:https';
import type { FastifyInstance } from 'fastify';
import { BEARER_PROTOCOL, WATCH_PROTOCOL } from '../api/protocol.js';
import { QuorateError } from '../errors.js';
import { type Origins, originOf } from './origins.js';

/** How long a browser may remember that it may ask, seconds. */
const REMEMBERED = 600;

/**
 * Lets the environment's own page read from this controller when it came from another one: with a bearer token and nothing
 * else, as no other credential of a browser is let in from elsewhere, and no change is.
 */
export function serveBrowsers(app: FastifyInstance<Server>, origins: Origins): void {
  app.addHook('onRequest', async (request, reply) => {
    const { origin, host } = request.headers;
    if (origin === undefined || isOwn(origin, host)) return;
    reply.header('vary', 'origin');
    if (await origins.allows(origin)) reply.header('access-control-allow-origin', origin);
  });
  app.options('/v1/*', async (_, reply) => {
    const allowed = reply.getHeader('access-control-allow-origin') !== undefined;
    if (!allowed) throw foreign();
    return reply
      .code(204)
      .header('access-control-allow-methods', 'GET')
      .header('access-control-allow-headers', 'authorization')
      .header('access-control-max-age', REMEMBERED)
      .send();
  });
}

/**
 * To be called before a WebSocket's login. A browser shows its certificates on WebSockets wherever the page came from, so
 * pages from elsewhere are refused; and it can send no header, so that its token comes as a protocol of its own.
 */
export async function admitBrowser(request: IncomingMessage, origins: Origins): Promise<void> {
  const { origin, host } = request.headers;
  if (origin !== undefined && !isOwn(origin, host) && !(await origins.allows(origin))) throw foreign();
  const token = bearerOf(request.headers['sec-websocket-protocol']);
  if (token !== null) request.headers.authorization ??= `Bearer ${token}`;
}

/** The one that is spoken; never the one that carries a token, as the answer repeats it. */
export function spokenProtocol(offered: ReadonlySet<string>): string | false {
  return offered.has(WATCH_PROTOCOL) ? WATCH_PROTOCOL : false;
}

/** The token among the protocols that a WebSocket offers. Pure. */
export function bearerOf(protocols: string | undefined): string | null {
  const carrier = (protocols ?? '').split(',').find((name) => name.trim().startsWith(BEARER_PROTOCOL));
  return carrier?.trim().slice(BEARER_PROTOCOL.length) ?? null;
}

function isOwn(origin: string, host: string | undefined): boolean {
  try {
    return originOf(host ?? '') === origin;
  } catch {
    return false;
  }
}

function foreign(): QuorateError {
  return new QuorateError('foreign-origin', 'Pages from elsewhere may not ask this controller.', {
    todo: 'Open the environment’s own page: quorate dashboard.',
  });
}
