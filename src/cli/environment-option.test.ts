import { expect, test } from 'vitest';
import { environmentLast } from './environment-option.js';

test.each([
  ['status', 'status'],
  ['-e prod status', 'status -e prod'],
  ['--environment prod cloud list', 'cloud list --environment prod'],
  ['--environment=prod status --format json', 'status --format json --environment=prod'],
  ['-eprod status', 'status -eprod'],
  ['-e prod exec --machine 1 -- ls -e', 'exec --machine 1 -e prod -- ls -e'],
  ['status -e prod', 'status -e prod'],
  ['-e prod', '-e prod'],
  ['--version', '--version'],
])('%s → %s', (typed, meant) => {
  expect(environmentLast(typed.split(' ')).join(' ')).toBe(meant);
});
