import { ServiceError } from '@temporalio/client';
import { CommanderError } from 'commander';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { QuorateError, usageError } from '../errors.js';
import { reportError } from './report.js';

let said = '';
beforeEach(() => {
  said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const failure = (code: string, path?: string) =>
  Object.assign(new Error(`${code}: it went wrong`), { code, ...(path === undefined ? {} : { path }) });

test.each([
  [failure('ENOSPC', '/q/log'), 'the disk is full; nothing more can be written to /q/log. Free some space'],
  [failure('ENOSPC'), 'the disk is full; nothing more can be written to it. Free some space'],
  [failure('EACCES', '/q/data'), '/q/data may not be written or read (EACCES). Change its owner or mode'],
  [failure('EROFS'), 'a file may not be written or read (EROFS). Change its owner or mode'],
  [failure('EMFILE'), 'too many files are open (EMFILE). Raise the limit'],
])('what the system refuses is one sentence and no defect: %s', (error, sentence) => {
  expect(reportError(error)).toBe(1);
  expect(said).toMatch(/^quorate: [^\n]+\n$/);
  expect(said).toContain(`quorate: ${sentence}`);
});

test.each([
  Object.assign(new ServiceError('Failed to get Workflow execution history'), {
    cause: new Error('14 UNAVAILABLE: lost'),
  }),
  Object.assign(new Error('14 UNAVAILABLE: lost'), { code: 14, details: 'lost', metadata: {} }),
])('a Temporal that is lost in the middle is no defect: %s', (error) => {
  expect(reportError(error)).toBe(1);
  expect(said).toMatch(/^quorate: Temporal does not answer any more: 14 UNAVAILABLE: lost\. What was started[^\n]+\n$/);
});

test('a Temporal that lets look and start nothing says what lacks', () => {
  const cause = Object.assign(new Error('7 PERMISSION_DENIED: Request unauthorized'), { code: 7, metadata: {} });
  expect(reportError(Object.assign(new ServiceError('Failed to start Workflow'), { cause }))).toBe(1);
  expect(said).toMatch(
    /^quorate: Temporal refuses this client: 7 PERMISSION_DENIED: Request unauthorized\. [^\n]+may write\.\n$/,
  );
});

test('what we refuse is said with what to do, and ends as it should', () => {
  expect(reportError(new QuorateError('no-room', 'There is no room.', { todo: 'Make some.' }))).toBe(1);
  expect(reportError(usageError('bad-word', 'That is no word.'))).toBe(2);
  expect(said).toBe('quorate: There is no room.\nMake some.\nquorate: That is no word.\n');
});

test('wrong words are one line, with the help where nothing is near', () => {
  expect(reportError(new CommanderError(1, 'x', "error: unknown command 'stats'\n(Did you mean status?)"))).toBe(2);
  expect(reportError(new CommanderError(1, 'x', "error: missing required argument 'cloud'"))).toBe(2);
  expect(said.split('\n')).toEqual([
    "quorate: unknown command 'stats' (Did you mean status?)",
    "quorate: missing required argument 'cloud'. See: quorate --help",
    '',
  ]);
});

test('anything else is a defect, shown with where it happened', () => {
  expect(reportError(new TypeError('x is not a function'))).toBe(1);
  expect(said).toMatch(/^quorate: this should not have happened; please report it/);
  expect(said).toMatch(/TypeError: x is not a function\n\s+at .*report\.test\.ts/);
});
