import type { Authority } from '../api/access.js';
import { QuorateError } from '../errors.js';
import { isAddressSet } from '../store/record.js';
import { decode } from './answer.js';
import type { Controllers } from './controllers.js';
import { backoff, Deadline } from './deadline.js';
import type { Dialer } from './dial.js';
import { Link } from './link.js';

/** How old the known address set may be when a request is made before it is asked for again. */
const REFRESH_MS = 2_000;
const REFRESH_PATIENCE_MS = 10_000;

export interface LinksOptions {
  readonly controllers: Controllers;
  readonly dialer: Dialer;
  /** For the Host header. */
  readonly host: string;
  readonly heartbeatMs: number;
  /** What the address set is asked for with. */
  readonly headers: Record<string, string>;
  /** For who keeps what the environment trusts: of which version that is, and who hears of a newer one. */
  readonly authority?: { readonly version: number; onNews(told: Authority): void };
}

/** The link that requests go to: made when it is needed, made anew when it was lost, shared by all. */
export class Links {
  readonly #options: LinksOptions;
  #link: Link | null = null;
  #connecting: Promise<Link> | null = null;
  #refreshing: Promise<void> = Promise.resolve();
  /** When the address set was last asked for; null while the answer is awaited. */
  #refreshedAt: number | null = Number.NEGATIVE_INFINITY;
  #closed = false;
  #authorityVersion: number;

  constructor(options: LinksOptions) {
    this.#options = options;
    this.#authorityVersion = options.authority?.version ?? Number.POSITIVE_INFINITY;
  }

  /** The link in use, if it is fit to be used. */
  get current(): Link | null {
    return this.#link?.usable ? this.#link : null;
  }

  /** A link to a controller; dials until one answers or the patience ends. */
  async get(deadline: Deadline): Promise<Link> {
    for (let attempt = 0; ; attempt += 1) {
      if (this.current) {
        if (this.#refreshedAt !== null && performance.now() - this.#refreshedAt > REFRESH_MS)
          this.#refresh(this.current);
        return this.current;
      }
      this.#connecting ??= this.#connect();
      try {
        return await deadline.wait(this.#connecting);
      } catch (error) {
        if (!(error instanceof QuorateError && error.code === 'no-controller')) throw error;
        await deadline.sleep(backoff(attempt));
      }
    }
  }

  /** This controller was lost or does not serve: the next request goes to another one. */
  leave(link: Link): void {
    link.retire();
    this.#options.controllers.failed(link.address);
  }

  /** The next request makes a connection of its own; what is under way is finished on the present ones. */
  renew(): void {
    this.#link?.retire();
  }

  /** What the environment trusts is told again, as if no version after this one had been. */
  learnAgain(version: number): void {
    this.#authorityVersion = version;
  }

  /** Leaves a controller that is no longer published: it is about to go. What it answers already it may finish. */
  leaveWithdrawn(): void {
    if (this.#link && !this.#options.controllers.addresses.includes(this.#link.address)) this.#link.retire();
  }

  /** Resolves when no refresh of the address set is under way. */
  refreshed(): Promise<void> {
    return this.#refreshing;
  }

  close(): void {
    this.#closed = true;
    this.#link?.destroy('closed');
  }

  async #connect(): Promise<Link> {
    const { controllers, dialer, host, heartbeatMs } = this.#options;
    try {
      const link = new Link(await controllers.connect(), { dialer, host, heartbeatMs });
      this.#link = link;
      if (this.#closed) link.destroy('closed');
      this.#refresh(link);
      return link;
    } finally {
      this.#connecting = null;
    }
  }

  #refresh(link: Link): void {
    const { controllers, headers } = this.#options;
    this.#refreshedAt = null;
    const deadline = new Deadline(REFRESH_PATIENCE_MS);
    this.#refreshing = link
      .send({ method: 'GET', path: '/v1/addresses', headers, body: undefined, signal: deadline.signal })
      .then((answer) => {
        const set = decode<{ readonly authorityVersion?: number }>(answer);
        if (isAddressSet(set)) controllers.use(set);
        return this.#learnAuthority(link, set?.authorityVersion ?? 0, deadline);
      })
      // Nobody asked for it: who makes a request hears of a lost controller or a refused login by that.
      .catch(() => {})
      .finally(() => {
        deadline.end();
        this.#refreshedAt = performance.now();
      });
  }

  async #learnAuthority(link: Link, version: number, { signal }: Deadline): Promise<void> {
    const { authority, headers } = this.#options;
    if (authority === undefined || version <= this.#authorityVersion) return;
    const told = decode<Authority>(
      await link.send({ method: 'GET', path: '/v1/authority', headers, body: undefined, signal }),
    );
    if (told.version <= this.#authorityVersion) return;
    this.#authorityVersion = told.version;
    authority.onNews(told);
  }
}
