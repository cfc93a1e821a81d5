import { setTimeout as sleep } from 'node:timers/promises';
import type {
  Document,
  MongoClient,
  ServerHeartbeatSucceededEvent,
  Timestamp,
  TopologyDescriptionChangedEvent,
} from 'mongodb';

/** So long no primary is reached before somebody is cut off from one: longer than any succession or planned hand-over. */
export const CUT_OFF_MS = 5000;
/** By then a member has copied what it still could from a primary that is gone; what comes later is a living one's. */
const COPIED_MS = 2500;
/** Members are heard every second. */
const SAID_MS = 2000;
const LOOK_MS = 100;

/** Of a member's answer to the driver's `hello`. */
interface Hello {
  readonly secondary?: boolean;
  readonly primary?: string;
  readonly lastWrite?: { readonly opTime?: { readonly ts?: Timestamp } };
}

/**
 * Whom this process reaches as primary; and whether it is cut off from the primary alone: it reaches none for some seconds,
 * while a member that it does reach names one, and goes on receiving that one's writes. That it is named is not enough: one
 * that froze is named until the others elect another.
 */
export class PrimaryView {
  readonly #listeners = new Set<(host: string) => void>();
  readonly #now: () => number;
  #primary: string | null = null;
  #lostAt: number;
  /** What each member had received when it was heard last, since the primary was lost. */
  readonly #received = new Map<string, string>();
  /** By a member that goes on receiving its writes. */
  #named: { readonly primary: string; readonly at: number } | null = null;
  /** By any member that is reached. */
  #said: { readonly primary: string; readonly at: number } | null = null;

  /** @param now milliseconds on a monotonic clock */
  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#lostAt = now();
  }

  follow(client: MongoClient): void {
    client.on('topologyDescriptionChanged', (event: TopologyDescriptionChangedEvent) => this.see(primaryOf(event)));
    client.on('serverHeartbeatSucceeded', ({ connectionId, reply }: ServerHeartbeatSucceededEvent) =>
      this.hear(connectionId, reply),
    );
  }

  /** host:port, or null. */
  get primary(): string | null {
    return this.#primary;
  }

  /** Calls back when another primary than before is reached; answers how to stop that. */
  onPrimary(listener: (host: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** host:port of the primary that others reach and this process does not; null where it is not cut off. */
  get cutOffFrom(): string | null {
    const now = this.#now();
    if (this.#primary !== null || this.#named === null || now - this.#lostAt < CUT_OFF_MS) return null;
    return now - this.#named.at < CUT_OFF_MS ? this.#named.primary : null;
  }

  /** host:port of the primary that a member names which is reached, while it itself is not; it may have frozen. */
  get namedByOthers(): string | null {
    const said = this.#said;
    return this.#primary === null && said !== null && this.#now() - said.at < SAID_MS ? said.primary : null;
  }

  /** Resolves when it is cut off; rejects with the signal's reason. */
  async untilCutOff(signal: AbortSignal): Promise<string> {
    for (;;) {
      const from = this.cutOffFrom;
      if (from !== null) return from;
      await sleep(LOOK_MS, undefined, { signal });
    }
  }

  /** Resolves when a primary is reached, or there was time enough to know that nobody else reaches one either. */
  async untilInTouch(signal: AbortSignal): Promise<void> {
    while (this.#primary === null && (this.#now() - this.#lostAt < CUT_OFF_MS || this.cutOffFrom !== null)) {
      await sleep(LOOK_MS, undefined, { signal });
    }
  }

  see(primary: string | null): void {
    const before = this.#primary;
    this.#primary = primary;
    if (primary !== null || before !== null) this.#lostAt = this.#now();
    if (primary !== null) {
      this.#received.clear();
      this.#named = null;
    }
    if (primary !== null && primary !== before) for (const listener of this.#listeners) listener(primary);
  }

  hear(address: string, reply: Document): void {
    const { secondary, primary, lastWrite } = reply as Hello;
    const now = this.#now();
    if (this.#primary !== null || !secondary || primary === undefined) return;
    this.#said = { primary, at: now };
    if (now - this.#lostAt < COPIED_MS) return;
    const received = String(lastWrite?.opTime?.ts);
    const before = this.#received.get(address);
    this.#received.set(address, received);
    if (before !== undefined && before !== received) this.#named = { primary, at: now };
  }
}

function primaryOf(event: TopologyDescriptionChangedEvent): string | null {
  for (const [address, server] of event.newDescription.servers) {
    if (server.type === 'RSPrimary' || server.type === 'Standalone') return address;
  }
  return null;
}
