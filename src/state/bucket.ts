import { checkFence, type Epoch } from './fence.js';
import { type State, transaction } from './state.js';

/** What was done to the bucket: which address set it is known to have, or that it was tidied. */
export type BucketDone = { readonly version: number } | { readonly tidied: true };

/** Remembers it, with the database's time; a lower version than the one that is known leaves that as it is. */
export async function recordBucket(state: State, fence: Epoch, done: BucketDone): Promise<void> {
  await transaction(state, async (session) => {
    await checkFence(state, session, fence);
    if ('tidied' in done) {
      await state.bucket.updateOne({ _id: 'current' }, [{ $set: { tidiedAt: '$$NOW' } }], { session });
      return;
    }
    const version = { $max: ['$version', done.version] };
    await state.bucket.updateOne({ _id: 'current' }, [{ $set: { version, at: '$$NOW' } }], { session, upsert: true });
  });
}

/** What is known of the bucket; times and ages by the database's clock. */
export interface BucketSeen {
  /** The address set that was written there last. */
  readonly version: number;
  /** When somebody made sure of it last: milliseconds since 1970. */
  readonly sureAt: number;
  /** Since then. */
  readonly ageMs: number;
  /** Since it was tidied; null for never. */
  readonly tidiedAgeMs: number | null;
}

/** null before the publisher has written the first. */
export async function readBucket(state: State): Promise<BucketSeen | null> {
  const ago = (date: string) => ({ $toDouble: { $max: [0, { $subtract: ['$$NOW', date] }] } });
  const tidied = { $eq: [{ $type: '$tidiedAt' }, 'date'] };
  const [seen] = await state.bucket
    .aggregate<BucketSeen>([
      { $match: { _id: 'current' } },
      {
        $project: {
          _id: 0,
          version: 1,
          sureAt: { $toDouble: '$at' },
          ageMs: ago('$at'),
          tidiedAgeMs: { $cond: [tidied, ago('$tidiedAt'), null] },
        },
      },
    ])
    .toArray();
  return seen ?? null;
}
