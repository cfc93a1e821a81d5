import type { ErrorBody } from '../api/errors.js';
import { STATUS_OF_CODE } from '../api/errors.js';
import { QuorateError } from '../errors.js';
import { log } from '../log/log.js';
import { isPassing } from '../state/passing.js';
import { TooMany } from './too-many.js';

/** What a request is refused with. */
export interface Refusal {
  readonly status: number;
  readonly body: ErrorBody;
  /** When it is worth coming back, where that is known. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The status and body that an error is answered with; what is a defect is logged, and its text kept from the caller. */
export function answerFor(error: unknown, what: string, requestId: string): Refusal {
  const refusal = answerOf(error, what, requestId);
  return refusal.status < 500 ? refusal : { ...refusal, body: { ...refusal.body, requestId } };
}

function answerOf(error: unknown, what: string, requestId: string): Refusal {
  if (error instanceof QuorateError) {
    const { code, message, todo, exit } = error;
    const status = STATUS_OF_CODE[code] ?? (exit === 2 ? 400 : 500);
    const headers = error instanceof TooMany ? { 'retry-after': String(error.retryAfterSeconds) } : {};
    return { status, body: { code, message, todo }, headers };
  }
  // Fastify's own refusals: of a body that is too large, not JSON, …
  const { statusCode } = error as { statusCode?: unknown };
  if (error instanceof Error && typeof statusCode === 'number' && statusCode < 500) {
    const code = statusCode === 413 ? 'too-large' : 'bad-request';
    return { status: statusCode, body: { code, message: `${error.message}.`.replace(/\.+$/, '.'), todo: '' } };
  }
  if (isPassing(error)) {
    const message = 'The database could not be read at the moment.';
    return { status: 503, body: { code: 'no-quorum', message, todo: 'Ask again, or ask another controller.' } };
  }
  log().error({ requestId, err: error }, `${what} failed`);
  const todo = `The controllers' logs say more of request ${requestId}: quorate debug-log --level error`;
  return { status: 500, body: { code: 'failed', message: 'This controller failed to answer; it is a defect.', todo } };
}
