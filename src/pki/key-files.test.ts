import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  forgetPrevious,
  type KeyFiles,
  keepNext,
  keyFilesIn,
  promoteNext,
  readBootKeys,
  readNext,
  writeNext,
} from './key-files.js';

let directory: string;
let files: KeyFiles;
const NEXT = { caKey: 'next CA', bootKey: 'next boot' };

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'quorate-keys-'));
  files = keyFilesIn(directory);
  await writeFile(files.caKey, 'CA');
  await writeFile(files.bootKey, 'boot\n');
});
afterEach(() => rm(directory, { recursive: true }));

const there = async () => (await readdir(directory)).sort();
const text = (file: string) => readFile(file, 'utf8');

test('the next keys become the present ones, of those before the boot key is kept, and then nothing', async () => {
  await writeNext(files, NEXT);
  expect(await readBootKeys(files)).toEqual(['boot', 'next boot']);
  await promoteNext(files);
  expect([await text(files.caKey), await text(files.bootKey)]).toEqual(['next CA', 'next boot']);
  expect(await readBootKeys(files)).toEqual(['next boot', 'boot']);
  expect(await there()).toEqual(['boot.key', 'ca.key', 'previous-boot.key']);
  await forgetPrevious(files);
  expect(await there()).toEqual(['boot.key', 'ca.key']);
});

test('interrupted anywhere, it is done again and keeps the boot key that was before', async () => {
  await writeNext(files, NEXT);
  // After the boot key and before the CA's.
  await writeFile(files.previousBootKey, 'boot');
  await writeFile(files.bootKey, 'next boot');
  await promoteNext(files);
  expect(await readBootKeys(files)).toEqual(['next boot', 'boot']);
  // After both, before the next ones were shredded.
  await writeNext(files, NEXT);
  await promoteNext(files);
  expect(await readBootKeys(files)).toEqual(['next boot', 'boot']);
  expect(await text(files.caKey)).toBe('next CA');
  expect(await readNext(files)).toBeNull();
});

test('who makes next keys at the same time makes them once', async () => {
  expect(await keepNext(files, NEXT)).toEqual(NEXT);
  expect(await keepNext(files, { caKey: 'another', bootKey: 'another' })).toEqual(NEXT);
  expect(await there()).toEqual(['boot.key', 'ca.key', 'next-keys.json']);
});
