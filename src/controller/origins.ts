import { reasonOf } from '../errors.js';
import type { AddressesDocument } from '../state/documents.js';
import type { State } from '../state/state.js';
import type { Feed } from './feed.js';
import type { Reader } from './reading.js';

/** An origin that is not known is looked for no more often than this, whoever asks. */
const LOOK_MS = 1000;

/**
 * Where a page of this environment may have come from: `https://` and the address of a controller that is published, or was
 * since this server began. A page outlives the controller that it came from, and the replacement of that one too.
 */
export class Origins {
  readonly #known = new Set<string>();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly state: State,
    private readonly reader: Reader,
    feed: Feed,
  ) {
    feed.subscribe({
      onEvent: ({ kind, document }) => {
        if (kind === 'addresses' && document !== null) this.#learn(document as unknown as AddressesDocument);
      },
      onGap: () => this.#look(),
    });
    void feed.ready.then(() => this.#look());
  }

  /** @param origin as a browser sends it: scheme, host, and port where it is not the scheme's own */
  async allows(origin: string): Promise<boolean> {
    if (this.#known.has(origin)) return true;
    if (performance.now() - this.#lookedAt > LOOK_MS) this.#look();
    await this.#looking;
    return this.#known.has(origin);
  }

  #look(): void {
    this.#lookedAt = performance.now();
    this.#looking = this.reader
      .read(({ options }) => this.state.addresses.findOne({ _id: 'current' }, options))
      .then(
        (set) => this.#learn(set),
        (error) => console.error(`origins: ${reasonOf(error)}`),
      );
  }

  #learn(set: AddressesDocument | null): void {
    for (const { api, public: outside } of set?.servers ?? []) {
      this.#known.add(originOf(api));
      if (outside !== undefined) this.#known.add(originOf(outside));
    }
  }
}

/** The origin of an API server, host:port. */
export function originOf(api: string): string {
  return new URL(`https://${api}`).origin;
}
