import { QuorateError, reasonOf } from '../../errors.js';
import { actionOf } from './calls.js';
import type { Line, Reaction } from './error-line.js';
import { ERRORS } from './error-table.js';

/** A failed call, taken apart. */
export interface Failure {
  /** The API's name of the call: `RunInstances`. */
  readonly call: string;
  /** Amazon's code, Node's (`ECONNREFUSED`) or the name of the SDK's error. */
  readonly code: string;
  readonly message: string;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
}

/** How the table reacts to a failure, and what people are told. Pure. */
export function lineOf(failure: Failure): Line {
  const found = ERRORS.find(
    ({ codes, says }) => codes.some((code) => fits(code, failure.code)) && (says?.test(failure.message) ?? true),
  );
  if (found) return found;
  const retry = failure.status >= 500 || failure.status === 429;
  return {
    codes: [failure.code],
    reaction: retry ? 'retry' : 'fatal',
    becomes: retry ? 'cloud-unavailable' : 'cloud-refused',
    sentence: `Amazon refused {call} (${failure.code}): {message}.`,
    todo: retry ? 'It is tried again by itself.' : '',
  };
}

/** A failure as it is told. Pure. */
export function told(failure: Failure, line: Line = lineOf(failure)): { message: string; todo: string } {
  const fill = (text: string) =>
    text.replace(/\{(call|permission|message)\}/g, (_, name: 'call' | 'permission' | 'message') =>
      name === 'permission' ? permissionOf(failure) : name === 'message' ? sentenceOf(failure.message) : failure.call,
    );
  return { message: fill(line.sentence), todo: fill(line.todo) };
}

/** A call that failed, as people are told of it, with what is to be done about it. */
export class AmazonError extends QuorateError {
  readonly reaction: Reaction;
  readonly failure: Failure;

  constructor(failure: Failure, cause: unknown) {
    const line = lineOf(failure);
    const { message, todo } = told(failure, line);
    super(line.becomes, message, { todo, cause });
    this.reaction = line.reaction;
    this.failure = failure;
  }
}

/** An error of the SDK as ours; one that is ours already stays. */
export function amazonError(error: unknown, call: string): QuorateError {
  return error instanceof QuorateError ? error : new AmazonError(failureOf(error, call), error);
}

/** What came of a call about something; null where Amazon shows no such thing. */
export async function ifThere<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof AmazonError && error.reaction === 'look-again') return null;
    throw error;
  }
}

interface Thrown {
  readonly name?: string;
  readonly code?: unknown;
  readonly Code?: unknown;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly statusCode?: number; readonly body?: unknown };
  readonly $fault?: string;
  readonly cause?: unknown;
}

/** Takes apart what the SDK or Node threw. An answer that the SDK could not read becomes `NotAmazon`. */
export function failureOf(error: unknown, call: string): Failure {
  const thrown = (typeof error === 'object' && error !== null ? error : {}) as Thrown;
  const status = thrown.$metadata?.httpStatusCode ?? thrown.$response?.statusCode ?? 0;
  const answered = thrown.$response !== undefined;
  // What came back has no code of Amazon's: a page, a JSON of somebody else's, or nothing.
  const unread = answered && (thrown.$fault === undefined || ['Unknown', 'UnknownError'].includes(thrown.name ?? ''));
  // What the SDK says of it is for who debugs the SDK.
  const message = unread ? `it answered HTTP ${status} with something else` : reasonOf(error);
  if (unread && status >= 500) return { call, code: 'ServiceUnavailable', message, status };
  if (unread) return { call, code: status === 403 ? '403' : 'NotAmazon', message, status };
  const node = typeof thrown.code === 'string' ? thrown.code : null;
  const code = node ?? (typeof thrown.Code === 'string' ? thrown.Code : null) ?? thrown.name ?? 'UnknownError';
  return { call, code, message, status };
}

/** The permission that lacks: as the message names it, else the one that the call is named after. */
function permissionOf({ call, message }: Failure): string {
  return (
    /to perform:? ([\w-]+:\w+)/.exec(message)?.[1] ??
    /\b((?:ec2|s3|ssm|sts|iam|kms):\w+)/.exec(message)?.[1] ??
    actionOf(call)
  );
}

const fits = (pattern: string, code: string) =>
  pattern.endsWith('*') ? code.startsWith(pattern.slice(0, -1)) : code === pattern;

/** Amazon ends its messages with a full stop or not, and appends what only machines read. */
const sentenceOf = (message: string) =>
  message
    .replace(/\s*Encoded authorization failure message:.*$/s, '')
    .replace(/[.\s]+$/, '')
    .slice(0, 300);
