/** What a change may be called by whoever asks for it: letters, digits and signs that stand in any header and line. */
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;
