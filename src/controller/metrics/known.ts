import type { AddressesDocument, EnvironmentDocument } from '../../state/documents.js';
import type { State } from '../../state/state.js';
import type { Feed } from '../feed.js';

/** What the feed tells of a few documents: read once when the server begins and after a gap, followed from then on. */
export class Known {
  addressVersion: number | null = null;
  desired: number | null = null;
  readonly #leave: () => void;

  constructor(
    private readonly state: State,
    private readonly feed: Feed,
  ) {
    this.#leave = feed.subscribe({
      onEvent: ({ kind, document }) => {
        if (document === null) return;
        if (kind === 'addresses') this.addressVersion = (document as unknown as AddressesDocument).version;
        if (kind === 'environment') this.desired = (document as unknown as EnvironmentDocument).desired;
      },
      onGap: () => void this.#read(),
    });
    void this.#read();
  }

  close(): void {
    this.#leave();
  }

  async #read(): Promise<void> {
    await this.feed.ready;
    const read = Promise.all([this.state.addresses.findOne({ _id: 'current' }), this.state.environment.findOne({})]);
    // Not to be had now: an event or the next gap brings it.
    const [addresses, environment] = await read.catch(() => [null, null]);
    this.addressVersion = Math.max(this.addressVersion ?? 0, addresses?.version ?? 0) || this.addressVersion;
    this.desired = environment?.desired ?? this.desired;
  }
}
