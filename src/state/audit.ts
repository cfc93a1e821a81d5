import type { State } from './state.js';
import type { AuditDocument } from './user-documents.js';

/** The latest first; of one user where one is named. */
export async function readAudit(state: State, user: string | undefined, limit: number): Promise<AuditDocument[]> {
  return await state.audit
    .find(user === undefined ? {} : { user })
    .sort({ at: -1, _id: -1 })
    .limit(limit)
    .toArray();
}
