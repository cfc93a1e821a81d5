import type { ResultDocument, ResultState } from './operation-documents.js';

/**
 * How an operation goes on one machine: pending, taken by one run of its agent (running), ended. Pure: each function says
 * which fields of the result change, or null when nothing does.
 *
 * `unknown` may still become an end that is known: a machine that was cut off keeps what it saw, and says it once it is
 * back. All other ends stay.
 */

export type ResultFields = Partial<Omit<ResultDocument, '_id' | 'operation' | 'machine' | 'version'>>;

/** What an agent says of a command's end. */
export interface CommandEnd {
  readonly state: 'done' | 'failed' | 'cancelled' | 'timed-out' | 'unknown';
  readonly exitCode: number | null;
  readonly signal: string;
  readonly message: string;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}

/** Beyond its time limit a command is being ended, and its end and its last output are on their way. */
const LATEST_WORD_MS = 30_000;

export const isOpen = ({ state }: { readonly state: ResultState }): boolean =>
  state === 'pending' || state === 'running';
const isEnded = ({ state }: { readonly state: ResultState }): boolean => !isOpen({ state }) && state !== 'unknown';

/** An agent takes it. It is refused after its time limit, and to every run of the agent but the first that asked. */
export function claim(result: ResultDocument, session: string, now: Date): ResultFields | null {
  if (result.state !== 'pending') return null;
  if (isLate(result, now)) return notBegun(now);
  return { state: 'running', claimedBy: session, claimedAt: now };
}

/** A piece of output: only the next one, and only as much as is kept. */
export function append(
  result: ResultDocument,
  piece: { readonly sequence: number; readonly bytes: number },
): ResultFields | null {
  if (isEnded(result) || piece.sequence !== result.chunks) return null;
  const keptBytes = result.keptBytes + piece.bytes;
  return keptBytes > result.outputLimit ? null : { chunks: result.chunks + 1, keptBytes };
}

/** The agent's word on the end. */
export function end(result: ResultDocument, said: CommandEnd, now: Date): ResultFields | null {
  if (isEnded(result) || (result.state === 'unknown' && said.state === 'unknown')) return null;
  return { ...said, endedAt: now };
}

/** Somebody wants its end: what was not begun is not begun any more, what runs is asked to end. */
export function cancel(result: ResultDocument, by: string, now: Date): ResultFields | null {
  if (result.state === 'pending') {
    return { state: 'cancelled', message: `Cancelled by ${by} before it was begun.`, endedAt: now };
  }
  return result.state === 'running' && !result.cancelling ? { cancelling: true } : null;
}

/** What is known of a machine whose agent does not say anything about an operation. */
export interface Absence {
  /** The environment has it no more, or its instance is terminated: nobody will ever say anything. */
  readonly gone: boolean;
  /** Its agent is not heard. */
  readonly silent: boolean;
}

/** What becomes of an operation that nobody says anything about; null: it is waited for. */
export function judge(result: ResultDocument, { gone, silent }: Absence, now: Date): ResultFields | null {
  const failed = (message: string): ResultFields => ({ state: 'failed', message, endedAt: now });
  const unknown = (message: string): ResultFields => ({ state: 'unknown', message, endedAt: now });
  if (result.state === 'pending') {
    if (gone) return failed('The machine was removed before it was begun.');
    if (isLate(result, now)) return notBegun(now);
    return silent && !result.background ? failed('The machine’s agent stopped answering before it was begun.') : null;
  }
  if (result.state !== 'running') return null;
  if (gone) return unknown('The machine is gone; nobody knows whether and how it ended.');
  const latest = (result.claimedAt ?? result.createdAt).getTime() + result.timeoutMs + LATEST_WORD_MS;
  return now.getTime() > latest
    ? unknown('Its time is over and its machine has not said how it ended; it says so if it comes back.')
    : null;
}

const isLate = ({ createdAt, timeoutMs }: ResultDocument, now: Date): boolean =>
  now.getTime() > createdAt.getTime() + timeoutMs;

const notBegun = (now: Date): ResultFields => ({
  state: 'failed',
  message: 'It was not begun within its time limit.',
  endedAt: now,
});

/** How bad an end is: the worst one of its machines is the operation's. */
const WORST: readonly ResultState[] = ['unknown', 'failed', 'timed-out', 'cancelled', 'done'];

/** The state of the whole operation. */
export function stateOfAll(states: readonly ResultState[]): ResultState {
  if (states.some((state) => state === 'running')) return 'running';
  if (states.some((state) => state === 'pending'))
    return states.every((state) => state === 'pending') ? 'pending' : 'running';
  return WORST.find((state) => states.includes(state)) ?? 'done';
}

const SMALLEST_LIMIT = 64 * 1024;
const LARGEST_LIMIT = 4 * 1024 * 1024;
const ALL_MACHINES = 64 * 1024 * 1024;

/** Bytes of output kept of each of so many machines. */
export function outputLimit(machines: number): number {
  return Math.max(SMALLEST_LIMIT, Math.min(LARGEST_LIMIT, Math.floor(ALL_MACHINES / machines)));
}
