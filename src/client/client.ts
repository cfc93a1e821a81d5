import type { Authority } from '../api/access.js';
import { QuorateError } from '../errors.js';
import { serverName } from '../pki/certificate.js';
import { type AddressSet, isAddressSet } from '../store/record.js';
import { tracing } from '../tracing/tracing.js';
import { decode, refusalOf } from './answer.js';
import { Controllers } from './controllers.js';
import { backoff, Deadline } from './deadline.js';
import { type Connected, Dialer, type TlsFiles } from './dial.js';
import { tooLate, unknownOutcome } from './failures.js';
import { type Link, type LinkAnswer, LinkLost } from './link.js';
import { Links } from './links.js';
import { STAGGER_MS } from './race.js';
import type { ControllerSocket } from './socket.js';
import { type WatchEvent, watchEvents } from './watch.js';

export type { TlsFiles } from './dial.js';
export type { ControllerSocket } from './socket.js';
export type { WatchEvent } from './watch.js';

export interface ApiClientOptions {
  readonly environment: { readonly uuid: string; readonly name: string };
  /** host:port of the API servers known, in the order to try them. */
  readonly addresses: readonly string[];
  /** Version of the published set that `addresses` come from. */
  readonly addressesVersion?: number;
  /** host:port of those that were in earlier sets: tried when nobody answers at the published addresses either. */
  readonly formerAddresses?: readonly string[];
  /** Where the published address set is read when nobody answers. */
  readonly url?: string;
  /** Tried last of all, when nobody answers at the published addresses either. */
  readonly lastResort?: () => readonly string[];
  readonly tls: TlsFiles;
  /** Bearer token, for who has no certificate. */
  readonly token?: string;
  /** The address that connections come from. */
  readonly localAddress?: string;
  /** For who keeps what the environment trusts beside `tls.ca`: of which version that is, and where a newer one goes. */
  readonly authority?: AuthorityKept;
  /** Called with every newer address set; `close` waits for what it returns. */
  readonly onAddresses?: (set: AddressSet) => void | Promise<void>;
  /** How often a controller that has not answered yet is pinged; after 8/3 of that in silence it is given up,
   * a WebSocket after 4 times that. */
  readonly heartbeatMs?: number;
  /** How long one controller is dialled before another one is as well. */
  readonly staggerMs?: number;
  /** How long a controller may take to be connected to, and again to open a WebSocket. */
  readonly dialMs?: number;
}

/** What the environment trusts, kept from one client to the next. */
export interface AuthorityKept {
  /** 0 while it has its first CA. */
  readonly version: number;
  /** The client goes by it already; `close` waits for what this returns: whether it was kept, else it is told again. */
  keep(told: Authority, client: ApiClient): Promise<boolean>;
}

export interface RequestOptions {
  readonly body?: unknown;
  /** Makes a change safe to send again: the environment does it once for a key. */
  readonly idempotencyKey?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
  /** Who answered. */
  readonly machine: string;
}

export interface ConnectOptions {
  /** How long nobody may answer before `no-controller` is thrown. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const DIAL_MS = 2_000;
const REQUEST_MS = 10_000;
const SOCKET_MS = 30_000;
/** A watch that ends sooner counts as one that never began. */
const SHORT_MS = 1_000;
/** Longest pause before a controller that could not serve is asked again: an election takes less. */
const REFUSED_MS = 100;
/** How long `close` waits for a refreshed set to be handed on. */
const CLOSE_MS = 500;

/**
 * The environment's API, whichever controller answers. The CLI and the agents use this one.
 *
 * A controller that closes or resets is noticed at once, one that is silent by a heartbeat; another is dialled, and what is
 * safe to send again is sent again: reads, and changes with an idempotency key. Any other change fails with
 * `unknown-outcome`, since it may have been done.
 */
export class ApiClient {
  readonly #options: ApiClientOptions;
  readonly #dialer: Dialer;
  readonly #controllers: Controllers;
  readonly #links: Links;
  readonly #heartbeatMs: number;
  readonly #deadlines = new Set<Deadline>();
  readonly #sockets = new Set<ControllerSocket>();
  #handingOn: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ApiClientOptions) {
    this.#options = options;
    this.#heartbeatMs = options.heartbeatMs ?? 150;
    this.#dialer = new Dialer({
      environment: options.environment,
      tls: options.tls,
      localAddress: options.localAddress,
      timeoutMs: options.dialMs ?? DIAL_MS,
    });
    this.#controllers = new Controllers({
      environment: options.environment.name,
      addresses: options.addresses,
      version: options.addressesVersion ?? 0,
      former: options.formerAddresses ?? [],
      url: options.url,
      lastResort: options.lastResort ?? (() => []),
      dialer: this.#dialer,
      staggerMs: options.staggerMs ?? STAGGER_MS,
      onAddresses: (set) => {
        this.#links.leaveWithdrawn();
        this.#handingOn = this.#handingOn.catch(() => {}).then(() => options.onAddresses?.(set));
        // A failure is thrown by `close`, unless a newer set was handed on since.
        this.#handingOn.catch(() => {});
      },
    });
    this.#links = new Links({
      controllers: this.#controllers,
      dialer: this.#dialer,
      host: serverName(options.environment.uuid),
      heartbeatMs: this.#heartbeatMs,
      headers: this.#authorization(),
      ...(options.authority === undefined ? {} : { authority: this.#keeps(options.authority) }),
    });
  }

  /** host:port of the controllers known, the one to be tried next at the front. */
  get addresses(): readonly string[] {
    return this.#controllers.addresses;
  }

  /** Machine ID of the controller that requests go to now, or null. */
  current(): string | null {
    return this.#links.current?.machine ?? null;
  }

  /** Takes over an address set that came another way (agents are told theirs); an older one is ignored. */
  useAddresses(set: AddressSet): void {
    this.#controllers.use(set);
  }

  /** Shows this certificate from the next connection on: the one before is about to end. */
  useCertificate({ certificate, key }: { readonly certificate: string; readonly key: string }): void {
    this.#dialer.useCertificate(certificate, key);
    this.#links.renew();
  }

  /** Trusts these CAs (PEM) from the next connection on. */
  trust(ca: string): void {
    this.#dialer.trust(ca);
    this.#links.renew();
  }

  /**
   * Sends a request until it is answered or `timeoutMs` (10 s) have passed. Throws the server's own error for an answer that
   * is not 2xx; 503 and 429 are tried again, like lost connections, as far as that is safe.
   */
  async request<T = unknown>(method: string, path: string, options: RequestOptions = {}): Promise<Answer<T>> {
    const { timeoutMs = REQUEST_MS, idempotencyKey, signal } = options;
    const safe = method === 'GET' || method === 'HEAD' || idempotencyKey !== undefined;
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    const headers = {
      ...this.#authorization(),
      ...tracing()?.headers(),
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    };
    return await this.#within(timeoutMs, signal, async (deadline) => {
      let asked: Link | null = null;
      let refused: LinkAnswer | null = null;
      try {
        for (let attempt = 0; ; attempt += 1) {
          asked = null;
          asked = await this.#links.get(deadline);
          try {
            const answer = await asked.send({ method, path, headers, body, signal: deadline.signal });
            const refusal = refusalOf(answer);
            if (refusal === null || (refusal === 'unknown' && !safe))
              return { status: answer.status, body: decode<T>(answer), machine: asked.machine };
            refused = answer;
            // Who cannot serve may be cut off from the others: a second refusal sends us elsewhere.
            if (refusal === 'elsewhere' || attempt % 2 === 1) this.#links.leave(asked);
          } catch (error) {
            const lost = error instanceof LinkLost;
            if (lost) this.#links.leave(asked);
            if (!safe && (lost ? error.sent : deadline.passed)) throw unknownOutcome(method, path, asked.machine);
            if (!lost) throw error;
            refused = null;
            // The first loss is made up for at once; only repeated ones wait.
            if (attempt === 0) continue;
          }
          await deadline.sleep(backoff(attempt, refused ? REFUSED_MS : undefined));
        }
      } catch (error) {
        if (!deadline.passed || error instanceof QuorateError) throw error;
        // What a controller said last says more than that the time is over.
        if (refused) decode(refused);
        throw asked ? tooLate(method, path, asked.machine, timeoutMs) : this.#controllers.noAnswer();
      }
    });
  }

  /**
   * What changes in the environment, in order and each once, from after the resume token `after` on or from now on. Goes on
   * at another controller when one is lost; throws `no-controller` when none answers for `timeoutMs` (30 s).
   */
  async *watch(options: ConnectOptions & { readonly after?: string } = {}): AsyncGenerator<WatchEvent, void> {
    const { signal = new AbortController().signal } = options;
    let previous: ControllerSocket | null = null;
    let openedAt = Number.NEGATIVE_INFINITY;
    let shortLived = 0;
    const connect = async (after: string | undefined) => {
      if (previous) this.#controllers.failed(previous.address);
      // A lost connection is made up for at once, one that never lasts is not asked for without pause.
      shortLived = performance.now() - openedAt < SHORT_MS ? shortLived + 1 : 0;
      if (shortLived > 1) await this.#within(SOCKET_MS, signal, (deadline) => deadline.sleep(backoff(shortLived)));
      openedAt = performance.now();
      const query = after === undefined ? '' : `?after=${encodeURIComponent(after)}`;
      previous = await this.#socket(`/v1/watch${query}`, options);
      // The address set is refreshed on every connection: this one may outlive the controllers known now.
      await this.#within(options.timeoutMs ?? SOCKET_MS, signal, (deadline) => this.#links.get(deadline));
      return previous;
    };
    for await (const event of watchEvents(connect, { after: options.after, signal })) {
      // All the controllers known when it was opened may have left by the time that it is lost.
      if (event.kind === 'addresses' && isAddressSet(event.document)) this.#controllers.use(event.document);
      yield event;
    }
  }

  /**
   * An agent's connection, to whichever controller answers first. It is one connection: when `onClose` is called, the agent
   * opens another, and says hello there.
   */
  async openAgentSocket(options: ConnectOptions = {}): Promise<ControllerSocket> {
    const socket = await this.#socket('/v1/agent', options);
    socket.onClose(() => this.#controllers.failed(socket.address));
    return socket;
  }

  /** Ends all connections; what is under way fails with `closed`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const closed = new QuorateError('closed', 'the client was closed.');
    for (const deadline of this.#deadlines) deadline.cancel(closed);
    for (const socket of this.#sockets) socket.close();
    const patience = new Deadline(CLOSE_MS);
    try {
      await patience.wait(this.#links.refreshed().then(() => this.#handingOn));
    } catch (error) {
      // A set that comes too late is read again by the next client.
      if (!patience.passed) throw error;
    } finally {
      patience.end();
      this.#links.close();
    }
  }

  /** Runs one caller's work with one caller's patience. */
  async #within<T>(timeoutMs: number, signal: AbortSignal | undefined, work: (d: Deadline) => Promise<T>): Promise<T> {
    if (this.#closed) throw new QuorateError('closed', 'the client was closed.');
    const deadline = new Deadline(timeoutMs, signal);
    this.#deadlines.add(deadline);
    try {
      return await work(deadline);
    } finally {
      this.#deadlines.delete(deadline);
      deadline.end();
    }
  }

  async #socket(path: string, { timeoutMs = SOCKET_MS, signal }: ConnectOptions): Promise<ControllerSocket> {
    // Loaded here: a command that only asks needs no WebSocket.
    const { ControllerSocket } = await import('./socket.js');
    return await this.#within(timeoutMs, signal, async (deadline) => {
      try {
        for (let attempt = 0; ; attempt += 1) {
          const socket = await this.#upgraded(path, deadline, ControllerSocket);
          if (socket) return socket;
          await deadline.sleep(backoff(attempt));
        }
      } catch (error) {
        if (!deadline.passed || error instanceof QuorateError) throw error;
        throw this.#controllers.noAnswer();
      }
    });
  }

  /** One try; null when another one may do. */
  async #upgraded(path: string, deadline: Deadline, socketClass: typeof ControllerSocket) {
    const connecting = this.#controllers.connect();
    let connected: Connected | undefined;
    try {
      connected = await deadline.wait(connecting);
      const socket = await socketClass.open(connected, {
        path,
        headers: this.#authorization(),
        host: serverName(this.#options.environment.uuid),
        heartbeatMs: this.#heartbeatMs,
        upgradeMs: this.#options.dialMs ?? DIAL_MS,
        signal: deadline.signal,
      });
      this.#sockets.add(socket);
      socket.onClose(() => this.#sockets.delete(socket));
      return socket;
    } catch (error) {
      if (connected) this.#controllers.failed(connected.address);
      else connecting.then(({ socket }) => socket.destroy()).catch(() => {});
      const final = error instanceof QuorateError && error.code !== 'no-controller';
      if (final || deadline.signal.aborted) throw error;
      return null;
    }
  }

  #keeps(kept: AuthorityKept) {
    return {
      version: kept.version,
      onNews: (told: Authority) => {
        this.trust(told.trusted);
        const keep = async () => {
          if (!(await kept.keep(told, this))) this.#links.learnAgain(kept.version);
        };
        this.#handingOn = this.#handingOn.catch(() => {}).then(keep);
        this.#handingOn.catch(() => {});
      },
    };
  }

  #authorization(): Record<string, string> {
    return this.#options.token === undefined ? {} : { authorization: `Bearer ${this.#options.token}` };
  }
}
