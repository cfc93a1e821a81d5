import type { Line } from './error-line.js';
import { ERRORS_OF_CALLS } from './errors-of-calls.js';
import { ERRORS_OF_THINGS } from './errors-of-things.js';

/**
 * The first line that fits counts. The codes and what they mean are those of the EC2 API Reference (Error codes), the S3 API
 * Reference (Error responses) and the SDK's own classification; what is not here is `fatal` with Amazon's own words.
 */
export const ERRORS: readonly Line[] = [...ERRORS_OF_CALLS, ...ERRORS_OF_THINGS];
