import { MongoError } from 'mongodb';
import type { State } from './state.js';

/** How a read is made. */
export interface ReadOptions {
  readonly readPreference: 'primaryPreferred';
  readonly readConcern: { readonly level: 'majority' | 'local' };
  readonly maxTimeMS: number;
}

/**
 * How long a member may look for what a majority has: with a primary, and where there is none. Together with its own view it
 * is less than an activity may take between two heartbeats.
 */
const LONGEST_MS = { withPrimary: 2000, without: 1000 } as const;
const MAX_TIME_EXPIRED = 50;

/**
 * Reads what a majority has, from a secondary where there is no primary. A member that started again when the majority was
 * lost already does not know what a majority had, and would say nothing for ever; then `work` is done again with what it has
 * itself, which may be old, or never have become the environment's. So it is for those alone who must go on all the same,
 * and whose acts are fenced.
 * @throws MongoError, also where nobody could be read in time
 */
export async function readEvenAlone<T>(state: State, work: (options: ReadOptions) => Promise<T>): Promise<T> {
  const from = (level: 'majority' | 'local', maxTimeMS: number): ReadOptions => ({
    readPreference: 'primaryPreferred',
    readConcern: { level },
    maxTimeMS,
  });
  try {
    return await work(from('majority', state.primary() === null ? LONGEST_MS.without : LONGEST_MS.withPrimary));
  } catch (error) {
    if (!(error instanceof MongoError) || error.code !== MAX_TIME_EXPIRED || state.primary() !== null) throw error;
    return await work(from('local', LONGEST_MS.without));
  }
}
