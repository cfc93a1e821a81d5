import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { whileLocked } from '../../lock.js';
import { DirectoryBucket } from './bucket.js';

let home: string;
let bucket: DirectoryBucket;
const NAME = 'addresses.json';

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'quorate-bucket-'));
  bucket = new DirectoryBucket((environment) => join(home, environment));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const file = () => fileURLToPath(bucket.url('e', NAME));
const published = async () => JSON.parse(await readFile(file(), 'utf8')) as { version: number };

test('a newer version replaces an older one, and never the other way round', async () => {
  expect(await bucket.put('e', NAME, { version: 2 })).toBe(true);
  expect(await bucket.put('e', NAME, { version: 1 })).toBe(false);
  expect(await bucket.put('e', NAME, { version: 2 })).toBe(false);
  expect(await published()).toEqual({ version: 2 });
  expect(await bucket.put('e', NAME, { version: 3 })).toBe(true);
  expect(await published()).toEqual({ version: 3 });
});

test('what was damaged is written anew', async () => {
  await mkdir(join(home, 'e', 'bucket'), { recursive: true });
  await writeFile(file(), '{"version": 7, "serv');
  expect(await bucket.put('e', NAME, { version: 2 })).toBe(true);
  expect(await published()).toEqual({ version: 2 });
});

test('a reader never sees half an object nor an older one again, whoever writes at once', async () => {
  await bucket.put('e', NAME, { version: 1 });
  const seen: number[] = [];
  let writing = true;
  const reading = (async () => {
    while (writing) {
      seen.push((await published()).version);
      await sleep(0);
    }
  })();
  const padding = 'x'.repeat(100_000);
  const versions = Array.from({ length: 30 }, (_, n) => 2 + ((n * 7) % 30));
  await Promise.all(versions.map((version) => bucket.put('e', NAME, { version, padding } as { version: number })));
  writing = false;
  await reading;
  expect((await published()).version).toBe(31);
  expect(seen.length).toBeGreaterThan(1);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

test('as long as another writer stands still nobody writes', async () => {
  await bucket.put('e', NAME, { version: 1 });
  await whileLocked(file(), async () => {
    await expect(bucket.put('e', NAME, { version: 2 })).rejects.toMatchObject({ code: 'locked' });
    expect(await published()).toEqual({ version: 1 });
  });
  expect(await bucket.put('e', NAME, { version: 2 })).toBe(true);
});

test('everything in it is listed, and can be removed', async () => {
  expect(await bucket.list('e')).toEqual([]);
  await bucket.put('e', NAME, { version: 1 });
  await writeFile(`${file()}.123`, 'half');
  expect((await bucket.list('e')).map(({ name }) => name).sort()).toEqual([NAME, `${NAME}.123`]);
  await bucket.remove('e', `${NAME}.123`);
  await bucket.remove('e', `${NAME}.123`);
  expect(await bucket.list('e')).toEqual([{ name: NAME, ageMs: expect.any(Number) }]);
});
