import type { BucketSeen } from '../src/state/bucket.js';
import type { Swept } from '../src/state/sweep.js';

/**
 * Work that is done on no machine. `machine` is what it is done to all the same: what a singleton leaves alone for a while
 * after a failure goes by that name.
 */
export type Upkeep =
  /** `sureAt`: when it was made sure of before; another time is another piece of work. */
  | { readonly kind: 'publish'; readonly machine: 'addresses'; readonly version: number; readonly sureAt: number }
  | { readonly kind: 'sweep'; readonly machine: Swept; readonly ids: readonly string[] }
  | { readonly kind: 'tidy-bucket'; readonly machine: 'bucket' };

/** The documents that may outlive what they are about; ages by the database's clock. */
export interface Kept {
  /** Every machine there is: IDs and nonces. */
  readonly machines: readonly { readonly id: string; readonly nonce: string }[];
  readonly tokens: readonly { readonly nonce: string; readonly ageMs: number }[];
  readonly presence: readonly { readonly machine: string; readonly ageMs: number }[];
  readonly changes: readonly {
    readonly id: string;
    readonly number: number;
    /** Since it ended; null while it runs. */
    readonly endedAgeMs: number | null;
  }[];
  /** Machines, there or gone, with more entries in their status log than are kept. */
  readonly statusLogs: readonly { readonly machine: string; readonly entries: number }[];
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** What somebody deleted or damaged in the bucket is there again after this long. */
const MAKE_SURE_MS = 10 * MINUTE_MS;
const TIDY_MS = DAY_MS;

/** An attempt to use somebody else's token is told as a problem; so long it is, also when its machine is gone. */
const TOKEN_MS = DAY_MS;
/** A machine whose document was read a moment too early is not taken for one that is gone. */
const PRESENCE_MS = MINUTE_MS;
/** Stories of changes that are kept: so many at most, so many however old they are, and none of them longer than that. */
export const STORIES = { most: 1000, always: 100, forMs: 90 * DAY_MS } as const;

/** So many documents go in one transaction; what is left is the next round's. */
export const BATCH = 100;

/** The address set is written into the bucket when that has an older one, and again now and then. Pure. */
export function toPublish(published: number, bucket: BucketSeen | null): Upkeep | null {
  if (published === 0) return null;
  if (bucket !== null && bucket.version >= published && bucket.ageMs < MAKE_SURE_MS) return null;
  return { kind: 'publish', machine: 'addresses', version: published, sureAt: bucket?.sureAt ?? 0 };
}

/** Documents whose time is over, the oldest first, and a bucket that was not looked through for a day. Pure. */
export function toSweep(kept: Kept, bucket: BucketSeen | null): readonly Upkeep[] {
  const ids = new Set(kept.machines.map(({ id }) => id));
  const nonces = new Set(kept.machines.map(({ nonce }) => nonce));
  const tokens = kept.tokens.filter(({ nonce, ageMs }) => ageMs > TOKEN_MS && !nonces.has(nonce));
  const presence = kept.presence.filter(({ machine, ageMs }) => ageMs > PRESENCE_MS && !ids.has(machine));
  const spent = {
    tokens: oldest(tokens).map(({ nonce }) => nonce),
    presence: oldest(presence).map(({ machine }) => machine),
    changes: oldStories(kept.changes),
    statusLog: longest(kept.statusLogs).map(({ machine }) => machine),
  };
  const sweeps = Object.entries(spent).flatMap(([what, ids]): Upkeep[] =>
    ids.length === 0 ? [] : [{ kind: 'sweep', machine: what as Swept, ids: ids.slice(0, BATCH) }],
  );
  const tidied = bucket === null || (bucket.tidiedAgeMs !== null && bucket.tidiedAgeMs < TIDY_MS);
  return tidied ? sweeps : [...sweeps, { kind: 'tidy-bucket', machine: 'bucket' }];
}

const oldest = <T extends { readonly ageMs: number }>(documents: readonly T[]): readonly T[] =>
  [...documents].sort((a, b) => b.ageMs - a.ageMs);

const longest = (logs: Kept['statusLogs']): Kept['statusLogs'] => [...logs].sort((a, b) => b.entries - a.entries);

function oldStories(changes: Kept['changes']): readonly string[] {
  return [...changes]
    .sort((a, b) => b.number - a.number)
    .filter(
      ({ endedAgeMs }, newer) =>
        endedAgeMs !== null && (newer >= STORIES.most || (newer >= STORIES.always && endedAgeMs > STORIES.forMs)),
    )
    .map(({ id }) => id)
    .reverse();
}

/**
 * Objects of the bucket that nobody reads: what dead writers and earlier versions left. One just written may be in use. Pure.
 * @param live names of objects that are read; of folders when they end with a slash
 */
export function spentObjects(
  objects: readonly { readonly name: string; readonly ageMs: number }[],
  live: readonly string[],
): readonly string[] {
  const lives = (name: string) => live.some((one) => name === one || (one.endsWith('/') && name.startsWith(one)));
  const spent = objects.filter(({ name, ageMs }) => !lives(name) && ageMs > 60 * MINUTE_MS);
  return oldest(spent)
    .map(({ name }) => name)
    .slice(0, BATCH);
}
