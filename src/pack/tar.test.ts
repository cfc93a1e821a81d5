import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Entry, tarOf } from './tar.js';

const LONG = `quorate/${'a-folder/'.repeat(14)}${'x'.repeat(190)}.js`;
const ENTRIES: readonly Entry[] = [
  { name: 'quorate/bin/run', contents: Buffer.from('#!/bin/sh\n'), executable: true },
  { name: 'quorate/empty', contents: Buffer.alloc(0), executable: false },
  { name: 'quorate/block', contents: Buffer.alloc(512, 'b'), executable: false },
  { name: 'quorate/größe.txt', contents: Buffer.from('ü'), executable: false },
  { name: LONG, contents: Buffer.alloc(1000, 'c'), executable: false },
];

test('the system unpacks what was packed', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'quorate-tar-'));
  try {
    execFileSync('tar', ['-xf', '-', '-C', directory], { input: await tarOf(ENTRIES) });
    for (const { name, contents, executable } of ENTRIES) {
      const file = path.join(directory, name);
      expect(readFileSync(file).equals(contents)).toBe(true);
      expect(statSync(file).mode & 0o100).toBe(executable ? 0o100 : 0);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the same bytes for the same files, in whatever order they come', async () => {
  expect((await tarOf([...ENTRIES].reverse())).equals(await tarOf(ENTRIES))).toBe(true);
});
