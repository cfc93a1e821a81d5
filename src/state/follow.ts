import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeStreamDocument, ChangeStreamOptions } from 'mongodb';
import { QuorateError } from '../errors.js';
import { isPassing } from './passing.js';
import type { State } from './state.js';

export type Followed =
  | 'environment'
  | 'machines'
  | 'presence'
  | 'addresses'
  | 'settings'
  | 'changes'
  | 'evidence'
  | 'credentials'
  | 'operations'
  | 'operationResults';

/** One change of one document. */
export interface StateEvent {
  /** Where to go on from, here or at any other controller. */
  readonly token: string;
  readonly kind: Followed;
  readonly id: string;
  /** As it was after the change; null when it was removed. */
  readonly document: Record<string, unknown> | null;
}

const HISTORY_LOST = new Set([280, 286]);
const BAD_TOKEN = new Set([9, 50, 260, 40647, 40649, 50811, 50759]);
const WAIT_MS = 5000;

/**
 * Every change of the collections that a majority has, in order, each once: from `after`, or from now on. Goes on over
 * elections by its token, for as long as it takes; ends when `signal` aborts. Throws `token-too-old` when what came after
 * the token is not kept any more (read everything again), `bad-token` when it is none.
 *
 * Documents other than presence are always written as a whole, so that each event carries the document exactly as it was
 * after that change, not as it is by the time of reading. The evidence's signs of life are no change and are left out.
 */
export async function* follow(
  state: State,
  collections: readonly Followed[],
  options: { readonly after?: string | undefined; readonly signal: AbortSignal },
): AsyncGenerator<StateEvent, void, void> {
  const { signal } = options;
  // Without a token of its own a stream that breaks before its first event would lose what happened meanwhile.
  let token = options.after ?? (await currentToken(state, signal));
  let failures = 0;
  while (!signal.aborted && token !== null) {
    const stream = open(state, collections, token);
    let moved = false;
    const close = () => void stream.close().catch(() => undefined);
    // A cursor stays with its member when that one is primary no more, and hears nothing once it has left the set.
    const unsubscribe = state.onPrimary(() => {
      moved = true;
      close();
    });
    signal.addEventListener('abort', close, { once: true });
    try {
      while (!signal.aborted) {
        const change = (await stream.next()) as ChangeStreamDocument;
        failures = 0;
        const event = eventOf(change);
        if (event === null) continue;
        token = event.token;
        yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      // How far the stream has looked, also where nothing was of interest: a member that joined since has nothing older.
      token = tokenOf(stream.resumeToken) ?? token;
      if (moved) continue;
      const refused = refusal(error);
      if (refused !== null) throw refused;
      if (!isPassing(error)) throw error;
      failures += 1;
      await sleep(Math.min(20 * 2 ** failures, 1000), undefined, { signal }).catch(() => undefined);
    } finally {
      signal.removeEventListener('abort', close);
      unsubscribe();
      close();
    }
  }
}

/**
 * A token for "now": whatever changes after this call is seen by who follows from it. Waits for a majority; null when
 * `signal` aborts first.
 *
 * It is a place in time and no event's: that of an event is found again by those streams alone that let the event through
 * (280, *the resume token was not found*), and what is followed differs.
 */
export async function currentToken(state: State, signal: AbortSignal): Promise<string | null> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    const stream = state.db.watch([{ $match: { operationType: 'none' } }], { maxAwaitTimeMS: 1 });
    try {
      await stream.tryNext();
      const token = tokenOf(stream.resumeToken);
      if (token !== null) return token;
    } catch (error) {
      if (!isPassing(error)) throw error;
    } finally {
      await stream.close().catch(() => undefined);
    }
    await sleep(Math.min(20 * 2 ** failures, 1000), undefined, { signal }).catch(() => undefined);
  }
  return null;
}

function open(state: State, collections: readonly Followed[], token: string) {
  if (!/^[0-9A-Fa-f]{10,4096}$/.test(token)) throw badToken();
  const options: ChangeStreamOptions = {
    fullDocument: 'updateLookup',
    maxAwaitTimeMS: WAIT_MS,
    resumeAfter: { _data: token },
  };
  return state.db.watch(
    [
      {
        $match: {
          'ns.coll': { $in: [...collections] },
          operationType: { $in: ['insert', 'update', 'replace', 'delete'] },
          $nor: [{ 'ns.coll': 'evidence', operationType: 'update' }],
        },
      },
    ],
    options,
  );
}

function eventOf(change: ChangeStreamDocument): StateEvent | null {
  const token = tokenOf(change._id);
  if (token === null || !('documentKey' in change) || change.documentKey === undefined) return null;
  const document = 'fullDocument' in change ? ((change.fullDocument as Record<string, unknown>) ?? null) : null;
  return { token, kind: change.ns.coll as Followed, id: String(change.documentKey._id), document };
}

function tokenOf(resumeToken: unknown): string | null {
  const data = (resumeToken as { _data?: unknown } | null)?._data;
  return typeof data === 'string' ? data : null;
}

function refusal(error: unknown): QuorateError | null {
  const code = (error as { code?: unknown }).code;
  if (typeof code !== 'number') return null;
  if (HISTORY_LOST.has(code)) {
    return new QuorateError('token-too-old', 'What happened after this token is not kept any more.', {
      todo: 'Read everything again, then follow from now on.',
      cause: error,
    });
  }
  return BAD_TOKEN.has(code) ? badToken() : null;
}

function badToken(): QuorateError {
  return new QuorateError('bad-token', 'This is not a token of an event.', {
    todo: 'Read everything again, then follow from now on.',
    exit: 2,
  });
}
