import type { State } from './state.js';
import type { AuditDocument } from './user-documents.js';

const DUPLICATE_KEY = 11000;
const NOT_VALID = 121;

/**
 * Writes entries; those that an earlier try has written already stay as they are. One that MongoDB does not take for an
 * entry is a defect, and must not keep the others from being written, now or ever. @returns how many of those there were
 */
export async function writeAudit(state: State, entries: readonly AuditDocument[]): Promise<number> {
  try {
    await state.audit.insertMany([...entries], { ordered: false });
    return 0;
  } catch (error) {
    const { writeErrors } = error as { writeErrors?: { code?: unknown }[] | { code?: unknown } };
    const codes = [writeErrors ?? []].flat().map(({ code }) => code);
    if (codes.length === 0 || codes.some((code) => code !== DUPLICATE_KEY && code !== NOT_VALID)) throw error;
    return codes.filter((code) => code === NOT_VALID).length;
  }
}

/** The latest first; of one user where one is named. */
export async function readAudit(state: State, user: string | undefined, limit: number): Promise<AuditDocument[]> {
  return await state.audit
    .find(user === undefined ? {} : { user })
    .sort({ at: -1, _id: -1 })
    .limit(limit)
    .toArray();
}
