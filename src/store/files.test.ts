import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { privateDirectory, writeError } from './files.js';

const failure = (code: string) => Object.assign(new Error(`${code}: it went wrong, write`), { code });

test.each(['ENOSPC', 'EDQUOT'])('a full disk (%s) is called one, by the directory, with what to do', (code) => {
  const cause = failure(code);
  const error = writeError('/q/data', cause);
  expect(error).toMatchObject({
    code: 'disk-full',
    exit: 1,
    message: '/q/data cannot be written to: the disk is full.',
    todo: 'Make room, then run the command again; nothing is half-written.',
    cause,
  });
});

test('any other reason why a directory cannot be written to is told as the system tells it', () => {
  expect(writeError('/q/data', failure('EROFS'))).toMatchObject({
    code: 'store-not-writable',
    message: '/q/data cannot be written to: EROFS: it went wrong, write.',
    todo: 'Make it writable for yourself, or set QUORATE_HOME to another directory.',
  });
});

test('a file where a directory should be is refused by name', async () => {
  const home = await mkdtemp(join(tmpdir(), 'quorate-files-'));
  try {
    const file = join(home, 'data');
    await writeFile(file, '');
    await expect(privateDirectory(join(file, 'environments'))).rejects.toMatchObject({
      code: 'store-not-writable',
      message: expect.stringContaining(`${file}/environments cannot be written to: ENOTDIR`),
    });
  } finally {
    await rm(home, { recursive: true });
  }
});
