import type { Collection, OptionalUnlessRequiredId } from 'mongodb';

const DUPLICATE_KEY = 11000;
const NOT_VALID = 121;

/**
 * Writes documents; those that an earlier try has written already stay as they are. One that MongoDB does not take for what
 * it should be is a defect, and must not keep the others from being written, now or ever. @returns how many of those there
 * were
 */
export async function insertOnce<T extends { readonly _id: string }>(
  collection: Collection<T>,
  documents: readonly T[],
): Promise<number> {
  try {
    await collection.insertMany([...documents] as OptionalUnlessRequiredId<T>[], { ordered: false });
    return 0;
  } catch (error) {
    const { writeErrors } = error as { writeErrors?: { code?: unknown }[] | { code?: unknown } };
    const codes = [writeErrors ?? []].flat().map(({ code }) => code);
    if (codes.length === 0 || codes.some((code) => code !== DUPLICATE_KEY && code !== NOT_VALID)) throw error;
    return codes.filter((code) => code === NOT_VALID).length;
  }
}
