import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Entry, tarOf } from './tar.js';

const LONG = `quorate/${'a-folder/'.repeat(14)}${'x'.repeat(90)}.js`;
const ENTRIES: readonly Entry[] = [
  { name: 'quorate/bin/run', contents: Buffer.from('#!/bin/sh\n'), executable: true },
  { name: 'quorate/empty', contents: Buffer.alloc(0), executable: false },
  { name: 'quorate/block', contents: Buffer.alloc(512, 'b'), executable: false },
  { name: 'quorate/größe.txt', contents: Buffer.from('ü'), executable: false },
  { name: LONG, contents: Buffer.alloc(1000, 'c'), executable: false },
];

test('the system unpacks what was packed', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'quorate-tar-'));
  try {
    execFileSync('tar', ['-xf', '-', '-C', directory], { input: tarOf(ENTRIES) });
    for (const { name, contents, executable } of ENTRIES) {
      const file = path.join(directory, name);
      expect(readFileSync(file).equals(contents)).toBe(true);
      expect(statSync(file).mode & 0o100).toBe(executable ? 0o100 : 0);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the same bytes for the same files, in whatever order they come', () => {
  expect(tarOf([...ENTRIES].reverse()).equals(tarOf(ENTRIES))).toBe(true);
});

test('a name that the format has no room for is refused', () => {
  const entry = { name: `quorate/${'x'.repeat(101)}`, contents: Buffer.alloc(0), executable: false };
  expect(() => tarOf([entry])).toThrow(expect.objectContaining({ code: 'name-too-long' }));
});
