import type { BucketDocument } from './documents.js';
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

/** null before the publisher has written the first. Ages by the database's clock. */
export async function readBucket(
  state: State,
): Promise<(Pick<BucketDocument, 'version'> & { readonly ageMs: number; readonly tidiedAgeMs: number | null }) | null> {
  const ago = (date: string) => ({ $toDouble: { $max: [0, { $subtract: ['$$NOW', date] }] } });
  const tidied = { $eq: [{ $type: '$tidiedAt' }, 'date'] };
  const [seen] = await state.bucket
    .aggregate<{ version: number; ageMs: number; tidiedAgeMs: number | null }>([
      { $match: { _id: 'current' } },
      {
        $project: {
          _id: 0,
          version: 1,
          ageMs: ago('$at'),
          tidiedAgeMs: { $cond: [tidied, ago('$tidiedAt'), null] },
        },
      },
    ])
    .toArray();
  return seen ?? null;
}
