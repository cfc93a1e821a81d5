import type { Collection, Filter, FindOptions } from 'mongodb';
import type { State } from './state.js';

/** When more than this share of the documents has changed, all are read and not these by name. */
const MANY = 0.3;

/**
 * Documents of a collection, all at once, of which those that were read before and are the same still are not read again: to
 * take thousands of them apart costs half a second of processor time. A document is the same when its stamps are, fields of
 * which one changes with every write. Only for reads from the primary of what a majority has; another primary begins anew,
 * since after a forced config a version may come twice.
 */
export class StampedDocuments<T extends { readonly _id: string }> {
  #known: ReadonlyMap<string, T> = new Map();
  readonly #stop: () => void;

  constructor(
    state: Pick<State, 'onPrimary'>,
    private readonly collection: Collection<T>,
    private readonly stamps: readonly (keyof T & string)[],
    /** Which of them it is about: all, unless told. */
    private readonly among: Filter<T> = {},
  ) {
    this.#stop = state.onPrimary(() => {
      this.#known = new Map();
    });
  }

  close(): void {
    this.#stop();
  }

  /** As they are now, in no order; shared with other readers, so not to be changed. `options` says from whom and how. */
  async read(options: FindOptions): Promise<T[]> {
    const known = this.#known;
    const projection = Object.fromEntries(this.stamps.map((field) => [field, 1]));
    const there = await this.#find(this.among, { ...options, projection });
    const same: T[] = [];
    const changed: string[] = [];
    for (const one of there) {
      const before = known.get(one._id);
      if (before !== undefined && this.#isSame(one, before)) same.push(before);
      else changed.push(one._id);
    }
    const documents = await this.#readChanged(same, changed, options);
    // What was read while another reader was faster or another primary was found is not kept: it may be older.
    if (this.#known === known) this.#known = new Map(documents.map((document) => [document._id, document]));
    return documents;
  }

  /** One that was removed in between is not among them. */
  async #readChanged(same: T[], changed: readonly string[], options: FindOptions): Promise<T[]> {
    if (changed.length === 0) return same;
    if (changed.length > (same.length + changed.length) * MANY) return await this.#find(this.among, options);
    return [...same, ...(await this.#find({ _id: { $in: changed } } as unknown as Filter<T>, options))];
  }

  async #find(filter: Filter<T>, options: FindOptions): Promise<T[]> {
    return (await this.collection.find(filter, options).toArray()) as unknown as T[];
  }

  #isSame(one: T, other: T): boolean {
    return this.stamps.every((field) => comparable(one[field]) === comparable(other[field]));
  }
}

const comparable = (field: unknown): unknown => (field instanceof Date ? field.getTime() : field);
