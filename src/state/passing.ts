import {
  MongoError,
  MongoNetworkError,
  MongoOperationTimeoutError,
  MongoServerClosedError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from 'mongodb';

/** Another primary was seen while an operation waited for the old one. */
export class MovedOn extends Error {}

/**
 * Codes that pass by themselves: there is no primary at the moment, a server is going down, a write was not confirmed.
 * The outcome of a write that ended with one is unknown.
 */
const PASSING = new Set([
  6, 7, 64, 89, 91, 100, 133, 134, 150, 175, 189, 262, 358, 9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436, 50,
  112, 246,
]);
const SOCKET_CODES = new Set([
  'EPIPE',
  'ECONNRESET',
  'ETIMEDOUT',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]);
const PASSING_LABELS = [
  'RetryableWriteError',
  'TransientTransactionError',
  'RetryableError',
  'ResumableChangeStreamError',
];

/** Of the driver: lost connections, nobody to ask, a member that left the set meanwhile, not yet connected at all. */
const PASSING_KINDS = [
  MongoNetworkError,
  MongoServerSelectionError,
  MongoOperationTimeoutError,
  MongoServerClosedError,
  MongoTopologyClosedError,
];

/** The same, of kinds that the driver does not show: whoever waits for a connection to a member when that leaves the set. */
const PASSING_NAMES: readonly string[] = ['MongoPoolClosedError', 'MongoWaitQueueTimeoutError'];

/** Whether what failed may succeed when it is done again a moment later. */
export function isPassing(error: unknown): boolean {
  if (error instanceof MovedOn) return true;
  if (!(error instanceof MongoError)) return isSocketError(error);
  if (PASSING_KINDS.some((kind) => error instanceof kind)) return true;
  if (PASSING_NAMES.includes(error.name)) return true;
  if (PASSING_LABELS.some((label) => error.hasErrorLabel(label))) return true;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === 'number' && PASSING.has(code)) return true;
  return cause !== undefined && cause !== error && isPassing(cause);
}

/**
 * The driver passes on a socket's own error when a connection ends while it is written to, and stumbles over it when it
 * was a commit.
 */
function isSocketError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') return SOCKET_CODES.has(code);
  return error instanceof TypeError && error.message.includes('hasErrorLabel');
}
