import type { AddressesDocument, EnvironmentDocument, MachineDocument, SettingDocument } from '../state/documents.js';
import type { StateEvent } from '../state/follow.js';
import { persist } from '../state/retry.js';
import type { State } from '../state/state.js';
import type { Feed } from './feed.js';

/** What every agent is told beside its own machine. */
export interface Common {
  readonly url: string;
  /** Whom to trust; null in an environment whose CA was never rotated. */
  readonly authority: NonNullable<EnvironmentDocument['authority']> | null;
  readonly addresses: AddressesDocument | null;
  readonly setting: SettingDocument | null;
}

/** Who hears of one machine, and of what all are told. */
export interface Listener {
  onMachine(machine: MachineDocument | null): void;
  onCommon(common: Common): void;
  /** Events were missed: everything has to be read anew. */
  onGap(): void;
}

/** The one setting that agents need. */
export const SUSPECT_AFTER = 'suspect-after';
/** Machines that are asked for within so long are read together. */
const TOGETHER_MS = 10;
/** How long documents are waited for, over elections. */
const DOCUMENTS_MS = 30_000;

/**
 * What agents are told, read once for all of them and followed from then on; a machine's own document is read together with
 * those of others that come at the same time. So a thousand agents that come back at once ask the database for little.
 */
export class Directory {
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #leave: () => void;
  #common: Common | null = null;
  #reading: Promise<Common | null> | null = null;
  #gaps = 0;
  /** Authority, addresses and the setting as events told of them while they were read. */
  #told: Partial<Common> = {};
  #wanted = new Set<string>();
  #together: Promise<Map<string, MachineDocument>> | null = null;

  constructor(
    private readonly state: State,
    private readonly feed: Feed,
  ) {
    this.#leave = feed.subscribe({
      onEvent: (event) => this.#onEvent(event),
      onGap: () => {
        this.#common = null;
        this.#reading = null;
        this.#gaps += 1;
        for (const listener of this.#all()) listener.onGap();
      },
    });
  }

  close(): void {
    this.#leave();
  }

  /** To be called before anything is read: what changes in between is heard, and the versions say which is newer. */
  listen(machine: string, listener: Listener): () => void {
    const there = this.#listeners.get(machine) ?? new Set();
    this.#listeners.set(machine, there.add(listener));
    return () => {
      there.delete(listener);
      if (there.size === 0 && this.#listeners.get(machine) === there) this.#listeners.delete(machine);
    };
  }

  /** null: the environment is not there yet. */
  async common(): Promise<Common | null> {
    if (this.#common !== null) return this.#common;
    this.#reading ??= this.#read();
    const reading = this.#reading;
    try {
      return await reading;
    } finally {
      if (reading === this.#reading) this.#reading = null;
    }
  }

  async machine(id: string): Promise<MachineDocument | null> {
    this.#wanted.add(id);
    this.#together ??= this.#readTogether();
    return (await this.#together).get(id) ?? null;
  }

  async #read(): Promise<Common | null> {
    this.#told = {};
    const { state } = this;
    const gaps = this.#gaps;
    const [environment, addresses, setting] = await persist(
      state,
      async () => {
        // A server that has just begun: what changed after the reading and before the feed's first event would be missed.
        await this.feed.ready;
        return await Promise.all([
          state.environment.findOne({}),
          state.addresses.findOne({ _id: 'current' }),
          state.settings.findOne({ _id: SUSPECT_AFTER }),
        ]);
      },
      DOCUMENTS_MS,
    );
    if (environment === null) return null;
    const common = {
      url: environment.url,
      authority: environment.authority ?? null,
      addresses,
      setting,
      ...this.#told,
    };
    // What was read before a gap says nothing of now.
    if (gaps === this.#gaps) this.#common = common;
    return common;
  }

  async #readTogether(): Promise<Map<string, MachineDocument>> {
    await new Promise((resolve) => setTimeout(resolve, TOGETHER_MS));
    const ids = [...this.#wanted];
    this.#wanted = new Set();
    this.#together = null;
    const machines = await persist(
      this.state,
      async () => {
        await this.feed.ready;
        return await this.state.machines.find({ _id: { $in: ids } }).toArray();
      },
      DOCUMENTS_MS,
    );
    return new Map(machines.map((machine) => [machine._id, machine]));
  }

  #onEvent({ kind, id, document }: StateEvent): void {
    if (kind === 'machines') {
      const machine = document as unknown as MachineDocument | null;
      for (const listener of [...(this.#listeners.get(id) ?? [])]) listener.onMachine(machine);
    }
    if (kind === 'environment' && document !== null) {
      const { authority = null } = document as unknown as EnvironmentDocument;
      // The document changes with every change; what is told to all is told only when it is news.
      if (authority !== null && authority.version > (this.#common?.authority?.version ?? 0)) this.#learn({ authority });
    }
    if (kind === 'addresses' && document !== null) this.#learn({ addresses: document as unknown as AddressesDocument });
    if (kind === 'settings' && id === SUSPECT_AFTER) this.#learn({ setting: document as SettingDocument | null });
  }

  #learn(news: Partial<Common>): void {
    this.#told = { ...this.#told, ...news };
    if (this.#common === null) return;
    this.#common = { ...this.#common, ...news };
    for (const listener of this.#all()) listener.onCommon(this.#common);
  }

  #all(): Listener[] {
    return [...this.#listeners.values()].flatMap((listeners) => [...listeners]);
  }
}
