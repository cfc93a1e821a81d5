import type { Collection, Filter, FindOptions } from 'mongodb';
import type { State } from './state.js';

/** When more than this share of the documents has changed, all are read and not these by name. */
const MANY = 0.3;

/**
 * Documents of a collection, all at once, of which those that were read before and are the same still are not read again: to take
 * thousands of them apart costs half a second of processor time. A document is the same when its stamps are, fields of which
 * one changes with every write. Only for reads from the primary of what a majority has; another primary begins anew, since
 * after a forced config a version may come twice.
 */
export class Remembered<T extends { readonly _id: string }> {
  #known = new Map<string, T>();
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
    // What is read while another primary is found does not come into what is known of that one.
    const known = this.#known;
    const projection = Object.fromEntries(this.stamps.map((field) => [field, 1]));
    const there = await this.#find(this.among, { ...options, projection });
    const changed = there.filter((one) => !this.#isSame(one, known.get(one._id))).map(({ _id }) => _id);
    if (changed.length > 0) {
      const named = { _id: { $in: changed } } as Filter<T>;
      const read = await this.#find(changed.length > there.length * MANY ? this.among : named, options);
      // One that was removed in between is not among them.
      for (const id of changed) known.delete(id);
      for (const document of read) known.set(document._id, document);
    }
    const ids = new Set(there.map(({ _id }) => _id));
    for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    return there.flatMap(({ _id }) => known.get(_id) ?? []);
  }

  async #find(filter: Filter<T>, options: FindOptions): Promise<T[]> {
    return (await this.collection.find(filter, options).toArray()) as unknown as T[];
  }

  #isSame(one: T, other: T | undefined): boolean {
    return other !== undefined && this.stamps.every((field) => comparable(one[field]) === comparable(other[field]));
  }
}

const comparable = (field: unknown): unknown => (field instanceof Date ? field.getTime() : field);
