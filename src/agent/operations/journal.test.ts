import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endWithout } from './end.js';
import { JournalEntry } from './journal.js';
import { Spool } from './spool.js';

let root: string;
beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), 'quorate-journal-')), 'operations');
});
afterEach(() => rmSync(join(root, '..'), { recursive: true, force: true }));

const piece = (text: string) => ({ stream: 'stdout', data: Buffer.from(text) }) as const;

test('what was begun is found again with all that it wrote and how it ended', async () => {
  const entry = await JournalEntry.begin(root, 7);
  await entry.runsAs({ pid: 12, started: '34' });
  await entry.spool.append([piece('one'), { stream: 'stderr', data: Buffer.from('two') }]);
  await entry.spool.close();
  const [again] = await JournalEntry.all(root);
  expect(again).toMatchObject({ id: 7, end: null });
  expect(await again?.process()).toEqual({ pid: 12, started: '34' });
  expect(again?.spool.count).toBe(2);
  expect(await again?.spool.read(1)).toEqual({ stream: 'stderr', data: Buffer.from('two') });
  await again?.ended(endWithout('unknown', 'first'));
  await again?.ended(endWithout('failed', 'second'));
  await again?.spool.close();
  const [third] = await JournalEntry.all(root);
  expect(third?.end).toMatchObject({ state: 'unknown', message: 'first' });
  await third?.forget();
  expect(await JournalEntry.all(root)).toEqual([]);
});

test('nothing is begun twice', async () => {
  const entry = await JournalEntry.begin(root, 7);
  await expect(JournalEntry.begin(root, 7)).rejects.toThrow('EEXIST');
  await entry.forget();
});

test('one that had not begun to begin leaves nothing', async () => {
  mkdirSync(join(root, '8'), { recursive: true });
  expect(await JournalEntry.all(root)).toEqual([]);
  expect(existsSync(join(root, '8'))).toBe(false);
});

test('a piece of output that was not written whole is no piece, and its place is used again', async () => {
  const file = join(root, '..', 'output');
  const spool = await Spool.open(file);
  await spool.append([piece('whole')]);
  await spool.close();
  for (const half of [Buffer.from([0, 0]), Buffer.from([0, 0, 0, 0, 9, 1, 2])]) {
    appendFileSync(file, half);
    const again = await Spool.open(file);
    expect(again.count).toBe(1);
    await again.append([piece('next')]);
    expect(String((await again.read(1)).data)).toBe('next');
    await again.close();
    const third = await Spool.open(file);
    expect(third.count).toBe(2);
    await third.close();
    writeFileSync(file, '');
    const fresh = await Spool.open(file);
    await fresh.append([piece('whole')]);
    await fresh.close();
  }
});
