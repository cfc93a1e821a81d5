import { QuorateError } from '../errors.js';

/** Refused for now; the answer says in its `Retry-After` when it is worth coming back. */
export class TooMany extends QuorateError {
  constructor(
    message: string,
    readonly retryAfterSeconds: number,
  ) {
    super('too-many', message, { todo: `Try again in ${retryAfterSeconds} s.` });
  }
}
