import { QuorateError } from '../errors.js';
import { checkOffered } from './controller-constraints.js';
import type { SettingDocument } from './documents.js';
import { keyReused, once, type Request } from './requests.js';
import { persist } from './retry.js';
import { checkKey, checkSetting } from './settings.js';
import type { State } from './state.js';

/** Requests remembered in the document itself. */
const REMEMBERED = 8;
const DUPLICATE_KEY = 11000;

export interface SettingWrite {
  readonly key: string;
  readonly value: string;
  /** The version that was read; 0: it must not exist yet. */
  readonly version: number;
  readonly by: string;
  readonly request: Request;
}

/** What a write came to. */
export type WrittenSetting = Pick<SettingDocument, '_id' | 'value' | 'version' | 'at' | 'by'>;

/**
 * Sets a setting if it is still at the version that was read, in one write that also remembers the request. Asked again it
 * answers the same. Throws `conflict` when somebody else was first, and `overwritten` when the setting has been written so
 * often since that nobody can tell any more whose write came next.
 */
export async function writeSetting(state: State, write: SettingWrite, limitMs?: number): Promise<WrittenSetting> {
  checkSetting(write.key, write.value);
  await checkOffered(state, write.key, write.value);
  return await persist(state, () => tryToWrite(state, write), limitMs);
}

async function tryToWrite(state: State, write: SettingWrite): Promise<WrittenSetting> {
  const { key: _id, value, version, by, request } = write;
  const requests = [{ ...request, version: version + 1 }];
  const next = { value, version: version + 1, at: new Date(), by };
  if (version === 0) {
    try {
      await state.settings.insertOne({ _id, ...next, requests });
      return { _id, ...next };
    } catch (error) {
      if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error;
      return await settle(state, write);
    }
  }
  // Read only for what it remembers; the write below checks the version itself.
  const before = await state.settings.findOne({ _id, version }, { readConcern: { level: 'local' } });
  if (before === null) return await settle(state, write);
  if (before.requests.some(({ key }) => key === request.key)) return await settle(state, write);
  requests.push(...before.requests.slice(0, REMEMBERED - 1));
  const { matchedCount } = await state.settings.replaceOne({ _id, version }, { ...next, requests });
  return matchedCount === 1 ? { _id, ...next } : await settle(state, write);
}

/**
 * The document is not at the version that was read: was it this very request, at an earlier try or at another controller?
 * Read linearizably, so that what is found is what a majority has.
 */
async function settle(state: State, write: SettingWrite): Promise<WrittenSetting> {
  const { key: _id, value, version, by, request } = write;
  const found = await state.settings.findOne({ _id }, { readConcern: { level: 'linearizable' }, maxTimeMS: 2000 });
  if (found === null) {
    throw new QuorateError('conflict', `${_id} is not at version ${version}: it does not exist.`, {
      todo: 'Read it again and decide again.',
    });
  }
  const mine = found.requests.find(({ key }) => key === request.key);
  if (mine !== undefined) {
    if (mine.fingerprint !== request.fingerprint) throw keyReused();
    const at = mine.version === found.version ? found.at : new Date();
    return { _id, value, version: mine.version, at, by };
  }
  const told = found.version <= version || found.requests.some((other) => other.version === version + 1);
  if (!told && found.requests.length > 0) {
    throw new QuorateError(
      'overwritten',
      `${_id} is at version ${found.version} by ${found.by}; who wrote version ${version + 1} is not remembered any more.`,
      { todo: 'If this request was sent before, it may have been done. Read the setting and decide again.' },
    );
  }
  throw new QuorateError('conflict', `${_id} is at version ${found.version} by ${found.by}, not at ${version}.`, {
    todo: 'Read it again and decide again.',
  });
}

/** Removes a setting if it is still at that version; asked again it answers the same. */
export async function deleteSetting(
  state: State,
  removal: { readonly key: string; readonly version: number; readonly request: Request },
  limitMs?: number,
): Promise<void> {
  const { key, version, request } = removal;
  checkKey(key);
  await once(
    state,
    request,
    async (session) => {
      const { deletedCount } = await state.settings.deleteOne({ _id: key, version }, { session });
      if (deletedCount === 0) {
        const found = await state.settings.findOne({ _id: key }, { session });
        throw new QuorateError(
          'conflict',
          found === null
            ? `${key} does not exist.`
            : `${key} is at version ${found.version} by ${found.by}, not at ${version}.`,
          { todo: 'Read it again and decide again.' },
        );
      }
      return {};
    },
    limitMs,
  );
}
