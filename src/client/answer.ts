import { QuorateError } from '../errors.js';
import type { LinkAnswer } from './link.js';

/** Longer than this nobody is made to wait without a word. */
const LONGEST_WAIT_S = 2;

/** The body of a good answer; the server's own error for any other. */
export function decode<T>(answer: LinkAnswer): T {
  const body = parse(answer);
  if (answer.status < 300) return body as T;
  const { code, message, todo } = (body ?? {}) as Record<string, unknown>;
  if (typeof code !== 'string' || typeof message !== 'string') {
    throw new QuorateError('bad-answer', `a controller answered with HTTP status ${answer.status} and no explanation.`);
  }
  throw new QuorateError(code, message, typeof todo === 'string' ? { todo } : {});
}

/**
 * What an answer means that says "not now": `not-done`, `elsewhere` (not done, and to be asked of another controller) or
 * `unknown`, when it may have been done. Null for any other answer.
 */
export function refusalOf({ status, headers, body }: LinkAnswer): 'not-done' | 'elsewhere' | 'unknown' | null {
  // One that says to come back much later is an answer; to knock till then would only fill the log.
  if (status === 429) return Number(headers['retry-after'] ?? 0) > LONGEST_WAIT_S ? null : 'not-done';
  if (status !== 503) return null;
  return /"code":"(leaving|cut-off)"/.test(body) ? 'elsewhere' : 'unknown';
}

function parse({ status, body }: LinkAnswer): unknown {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new QuorateError('bad-answer', `a controller’s answer (HTTP status ${status}) is not JSON.`, {
      cause: error,
    });
  }
}
