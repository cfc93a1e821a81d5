import { type Static, Type } from '@sinclair/typebox';

/** The body of every answer that is not 2xx: a stable code, a sentence, and what to do. */
export const ErrorBody = Type.Object(
  {
    code: Type.String(),
    message: Type.String(),
    todo: Type.String(),
    requestId: Type.Optional(
      Type.String({ description: 'with 5xx: what the logs of the controller call the request' }),
    ),
  },
  { $id: 'Error', description: 'What went wrong, in words and as a code that programs match on' },
);
export type ErrorBody = Static<typeof ErrorBody>;

/** HTTP status of each code; those that are not here are 400 for wrong usage and 500 for anything else. */
export const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  'bad-request': 400,
  'bad-setting': 400,
  'bad-duration': 400,
  'bad-constraints': 400,
  'unmet-constraints': 400,
  'bad-token': 400,
  'bad-password': 400,
  'bad-user': 400,
  'no-token': 400,
  'bad-certificate-request': 400,
  'no-idempotency-key': 400,
  'not-logged-in': 401,
  'bad-login': 401,
  'not-allowed': 403,
  'foreign-origin': 403,
  'enrol-refused': 403,
  'wrong-password': 403,
  'not-found': 404,
  'unknown-setting': 404,
  conflict: 409,
  overwritten: 409,
  stale: 409,
  'machine-not-alive': 409,
  'is-controller': 409,
  'has-instance': 409,
  'environment-not-alive': 409,
  'no-majority': 409,
  'wrong-epoch': 409,
  'no-maintenance': 409,
  'user-exists': 409,
  'last-admin': 409,
  'agent-silent': 409,
  'too-many-operations': 409,
  'token-too-old': 410,
  'too-large': 413,
  'key-reused': 422,
  'too-early': 425,
  'too-many': 429,
  'no-quorum': 503,
  'unknown-outcome': 503,
  leaving: 503,
};
