import { expect, test } from 'vitest';
import { gravityOf } from './access-log.js';

test.each([
  [200, 'debug'],
  [404, 'debug'],
  [409, 'debug'],
  [401, 'info'],
  [403, 'info'],
  [429, 'info'],
  [500, 'warn'],
  [503, 'warn'],
])('an answer %i is of level %s', (status, level) => {
  expect(gravityOf(status)).toBe(level);
});
