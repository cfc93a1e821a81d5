import type { State } from './state.js';
import type { AuditDocument } from './user-documents.js';

const DUPLICATE_KEY = 11000;

/** Writes entries; those that an earlier try has written already stay as they are. */
export async function writeAudit(state: State, entries: readonly AuditDocument[]): Promise<void> {
  try {
    await state.audit.insertMany([...entries], { ordered: false });
  } catch (error) {
    const { code, writeErrors } = error as { code?: unknown; writeErrors?: { code?: unknown }[] | { code?: unknown } };
    const each = [writeErrors ?? []].flat();
    if (code !== DUPLICATE_KEY || each.some((one) => one.code !== DUPLICATE_KEY)) throw error;
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
