import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tailOf } from './tail.js';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'quorate-tail-'));
  file = path.join(directory, 'api.log');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the end of a log', () => {
  test('that is not there is nothing', async () => {
    expect(await tailOf(file, null)).toEqual({ lines: [], end: null, more: false, writtenAt: 0 });
  });

  test('holds whole lines only, and the next look begins behind them', async () => {
    await writeFile(file, 'a\nb\nhal');
    const first = await tailOf(file, null);
    expect(first).toMatchObject({ lines: ['a', 'b'], more: false });
    await appendFile(file, 'f\nc\n');
    const second = await tailOf(file, first.end);
    expect(second).toMatchObject({ lines: ['half', 'c'], more: false });
    expect(await tailOf(file, second.end)).toMatchObject({ lines: [], end: second.end, more: false });
  });

  test('is bounded, and says that there is more', async () => {
    await writeFile(file, Array.from({ length: 100 }, (_, n) => `line ${n}\n`).join(''));
    const { lines, more } = await tailOf(file, null, 23);
    expect(lines).toEqual(['line 98', 'line 99']);
    expect(more).toBe(true);
    expect((await tailOf(file, null, 24)).lines).toEqual(['line 97', 'line 98', 'line 99']);
    const { end } = await tailOf(file, null);
    await appendFile(file, `${'x'.repeat(30)}\nz\n`);
    expect(await tailOf(file, end, 20)).toMatchObject({ lines: ['z'], more: true });
  });

  test('goes back into the one before', async () => {
    await writeFile(`${file}.1`, 'a\nb\n');
    await writeFile(file, 'c\n');
    expect(await tailOf(file, null)).toMatchObject({ lines: ['a', 'b', 'c'], more: false });
    expect(await tailOf(file, null, 5)).toMatchObject({ lines: ['b', 'c'], more: true });
  });

  test('of another file under the same name is read from its beginning', async () => {
    await writeFile(file, 'a\nb\n');
    const { end } = await tailOf(file, null);
    await rename(file, `${file}.1`);
    await writeFile(file, 'c\n');
    expect(await tailOf(file, end)).toMatchObject({ lines: ['c'] });
  });

  test('that was made shorter is read from its beginning', async () => {
    await writeFile(file, 'a\nb\n');
    const { end } = await tailOf(file, null);
    await writeFile(file, 'c\n');
    expect(await tailOf(file, end)).toMatchObject({ lines: ['c'] });
  });

  test('keeps what letters are made of together', async () => {
    await writeFile(file, 'ä\nö€\n');
    expect(await tailOf(file, null, 6)).toMatchObject({ lines: ['ö€'], more: true });
  });
});
