import { setMaxListeners } from 'node:events';
import { Agent, type ClientRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { reasonOf } from '../errors.js';
import type { Connected, Dialer } from './dial.js';
import { Silence } from './silence.js';

export interface LinkRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

export interface LinkAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request that got no answer because its controller was lost. */
export class LinkLost extends Error {
  /** False: not a byte of the request left this machine, so it was not done. */
  readonly sent: boolean;

  constructor(message: string, sent: boolean) {
    super(message);
    this.sent = sent;
  }
}

/** Requests that are under way at once on one controller; more wait for their turn. */
const SOCKETS = 16;
const LARGEST_ANSWER = 16_000_000;

/**
 * The connections to one controller: kept alive, one to begin with, more when requests overlap, and one for the heartbeat
 * when an answer takes long. A closed socket is an error at once; silence is what the heartbeat is for.
 *
 * HTTP/1.1 by Node's own client over sockets that won the race: a pool of another library would dial by itself and costs
 * every command more time to load than the request takes.
 */
export class Link {
  readonly address: string;
  readonly machine: string;
  readonly #dialer: Dialer;
  readonly #agent: Agent;
  readonly #heartbeatAgent: Agent;
  readonly #heartbeatMs: number;
  readonly #host: string;
  readonly #sockets = new Set<Socket>();
  readonly #requests = new Set<ClientRequest>();
  #first: Socket | null;
  #retired = false;
  /** Why it was given up, once it was. */
  #lost: string | null = null;
  #ticking: NodeJS.Timeout | null = null;
  /** Read from sockets that are closed by now. */
  #closedBytes = 0;
  readonly #over = new AbortController();
  readonly #queue: (() => void)[] = [];

  constructor(
    connected: Connected,
    options: { readonly dialer: Dialer; readonly host: string; readonly heartbeatMs: number },
  ) {
    this.address = connected.address;
    this.machine = connected.machine;
    this.#dialer = options.dialer;
    setMaxListeners(0, this.#over.signal);
    this.#host = options.host;
    this.#heartbeatMs = options.heartbeatMs;
    this.#first = connected.socket;
    this.#watch(connected.socket);
    connected.socket.once('close', () => {
      this.#first = null;
      this.retire();
    });
    this.#agent = this.#newAgent(SOCKETS);
    this.#heartbeatAgent = this.#newAgent(1);
  }

  /** New requests may be given to it. */
  get usable(): boolean {
    return !this.#retired;
  }

  /** Sends one request; rejects with `LinkLost` when the controller is lost before the answer is whole. */
  async send(wanted: LinkRequest): Promise<LinkAnswer> {
    // Node's agent does not count sockets that are still being dialled, so the bound is kept here.
    if (this.#requests.size >= SOCKETS) await new Promise<void>((resolve) => this.#queue.push(resolve));
    if (this.#lost !== null) throw new LinkLost(this.#lost, false);
    return await this.#exchange(wanted);
  }

  #exchange({ method, path, headers, body, signal }: LinkRequest): Promise<LinkAnswer> {
    return new Promise((resolve, reject) => {
      let sent = false;
      const outgoing = this.#request(this.#agent, method, path, headers);
      const abort = () => outgoing.destroy();
      const done = () => {
        if (!this.#requests.delete(outgoing)) return;
        signal.removeEventListener('abort', abort);
        this.#queue.shift()?.();
        if (this.#retired && this.#requests.size === 0 && this.#queue.length === 0) this.destroy('not needed any more');
      };
      const lose = (reason: string) => {
        done();
        reject(signal.aborted ? signal.reason : new LinkLost(this.#lost ?? reason, sent));
      };
      this.#requests.add(outgoing);
      signal.addEventListener('abort', abort);
      outgoing.on('socket', () => {
        sent = true;
      });
      outgoing.on('error', (error) => lose(reasonOf(error)));
      outgoing.on('response', (incoming) => {
        let text = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (part: string) => {
          text += part;
          if (text.length > LARGEST_ANSWER) outgoing.destroy(new Error('the answer is too large'));
        });
        incoming.on('error', (error) => lose(reasonOf(error)));
        incoming.on('end', () => {
          if (!incoming.complete) return lose('the answer was cut short');
          // The controller is about to leave: the next request goes to another one.
          if (incoming.headers.connection === 'close') this.retire();
          done();
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text });
        });
      });
      outgoing.end(body);
      this.#beat();
    });
  }

  /** Takes no new requests and ends with the last one under way. */
  retire(): void {
    this.#retired = true;
    if (this.#requests.size === 0 && this.#queue.length === 0) this.destroy('not needed any more');
  }

  /** Ends at once; requests under way are lost, with this reason. */
  destroy(reason: string): void {
    this.#retired = true;
    this.#lost ??= reason;
    if (this.#ticking) clearInterval(this.#ticking);
    this.#ticking = null;
    this.#over.abort();
    for (const outgoing of this.#requests) outgoing.destroy(new Error(reason));
    for (const waiting of this.#queue.splice(0)) waiting();
    for (const socket of this.#sockets) socket.destroy();
    this.#agent.destroy();
    this.#heartbeatAgent.destroy();
  }

  /** While requests wait: pings the controller, and gives it up when it has been silent for too long. */
  #beat(): void {
    if (this.#ticking || this.#retired) return;
    const tickMs = this.#heartbeatMs / 3;
    const limitMs = this.#heartbeatMs * (8 / 3);
    const silence = new Silence({ tickMs, limitMs, now: performance.now() });
    let bytes = this.#bytesRead();
    let ticks = 0;
    let pinging = false;
    this.#ticking = setInterval(() => {
      if (this.#requests.size === 0) {
        if (this.#ticking) clearInterval(this.#ticking);
        this.#ticking = null;
        return;
      }
      const seen = this.#bytesRead();
      if (silence.tick(performance.now(), seen !== bytes)) this.destroy(`silent for ${Math.round(limitMs)} ms`);
      bytes = seen;
      ticks += 1;
      if (ticks % 3 !== 0 || pinging || this.#lost !== null) return;
      pinging = true;
      const ping = this.#request(this.#heartbeatAgent, 'GET', '/v1/ping', {});
      // Only the bytes that come back count; a ping that fails is no sign of life, and that is all it is.
      ping.on('error', () => {});
      ping.on('response', (incoming) => incoming.resume());
      ping.on('close', () => {
        pinging = false;
      });
      ping.end();
    }, tickMs);
    this.#ticking.unref();
  }

  #bytesRead(): number {
    let sum = this.#closedBytes;
    for (const socket of this.#sockets) sum += socket.bytesRead;
    return sum;
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#closedBytes += socket.bytesRead;
    });
  }

  #request(agent: Agent, method: string, path: string, headers: OutgoingHttpHeaders): ClientRequest {
    return request({ agent, method, path, headers: { host: this.#host, ...headers } });
  }

  #newAgent(maxSockets: number): Agent {
    const agent = new Agent({ keepAlive: true, maxSockets });
    const createConnection = (_: unknown, callback: (error: Error | null, socket?: Duplex) => void): undefined => {
      const first = agent === this.#agent ? this.#first : null;
      if (first) {
        this.#first = null;
        callback(null, first);
        return;
      }
      this.#dialer.dial(this.address, this.#over.signal).then(
        ({ socket }) => {
          this.#watch(socket);
          callback(null, socket);
        },
        (error) => callback(error),
      );
    };
    return Object.assign(agent, { createConnection });
  }
}
