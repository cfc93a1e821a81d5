import { QuorateError } from '../errors.js';
import type { LinkAnswer } from './link.js';

/** The body of a good answer; the server's own error for any other. */
export function decode<T>(answer: LinkAnswer): T {
  const body = parse(answer);
  if (answer.status < 300) return body as T;
  const { code, message, todo } = (body ?? {}) as Record<string, unknown>;
  if (typeof code !== 'string' || typeof message !== 'string') {
    throw new QuorateError('bad-answer', `A controller answered with HTTP status ${answer.status} and no explanation.`);
  }
  throw new QuorateError(code, message, typeof todo === 'string' ? { todo } : {});
}

function parse({ status, body }: LinkAnswer): unknown {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new QuorateError('bad-answer', `A controller’s answer (HTTP status ${status}) is not JSON.`, {
      cause: error,
    });
  }
}
