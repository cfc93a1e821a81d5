import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bucket } from '../../src/cloud/cloud.js';

/** A bucket to test, with nothing in it that others use. */
export interface BucketUnderTest {
  readonly bucket: Bucket;
  /** What lies at an object's URL, as whoever may read it reads it. */
  read(url: string): Promise<string>;
  /** Writes what no writer of ours would. */
  litter(environment: string, name: string, text: string): Promise<void>;
  close(): Promise<void>;
}

const NAME = 'addresses.json';

/** What every Bucket must do; each implementation runs it, and adds tests of what is its own. */
export function bucketContract(name: string, makeBucket: () => Promise<BucketUnderTest>): void {
  describe(`${name} is a bucket`, () => {
    let made: BucketUnderTest;
    let bucket: Bucket;
    let environment: string;

    beforeEach(async () => {
      made = await makeBucket();
      bucket = made.bucket;
      environment = randomUUID();
    });

    afterEach(async () => {
      await made.close();
    });

    const published = async () => JSON.parse(await made.read(bucket.url(environment, NAME))) as { version: number };

    test('a newer version replaces an older one, and never the other way round', async () => {
      expect(await bucket.put(environment, NAME, { version: 2 })).toBe(true);
      expect(await bucket.put(environment, NAME, { version: 1 })).toBe(false);
      expect(await bucket.put(environment, NAME, { version: 2 })).toBe(false);
      expect(await published()).toEqual({ version: 2 });
      expect(await bucket.put(environment, NAME, { version: 3 })).toBe(true);
      expect(await published()).toEqual({ version: 3 });
    });

    test('the URL is known before anything is written, and belongs to one environment and name', () => {
      const urls = [
        bucket.url(environment, NAME),
        bucket.url(environment, 'other.json'),
        bucket.url(randomUUID(), NAME),
      ];
      expect(urls.map((url) => new URL(url).href)).toEqual(urls);
      expect(new Set(urls).size).toBe(3);
    });

    test('what was damaged is written anew', async () => {
      await made.litter(environment, NAME, '{"version": 7, "serv');
      expect(await bucket.put(environment, NAME, { version: 2 })).toBe(true);
      expect(await published()).toEqual({ version: 2 });
    });

    test('a reader never sees half an object nor an older one again, whoever writes at once', async () => {
      await bucket.put(environment, NAME, { version: 1 });
      const seen: number[] = [];
      let writing = true;
      const reading = (async () => {
        while (writing) {
          seen.push((await published()).version);
          await sleep(0);
        }
      })();
      const padding = 'x'.repeat(100_000);
      const versions = Array.from({ length: 8 }, (_, n) => 2 + ((n * 3) % 8));
      const written = await Promise.all(
        versions.map((version) => bucket.put(environment, NAME, { version, padding } as { version: number })),
      );
      writing = false;
      await reading;
      expect((await published()).version).toBe(9);
      expect(written[versions.indexOf(9)]).toBe(true);
      expect(seen.length).toBeGreaterThan(0);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
    });

    test('everything in it is listed, and can be removed, twice', async () => {
      expect(await bucket.list(environment)).toEqual([]);
      await bucket.put(environment, NAME, { version: 1 });
      await made.litter(environment, `${NAME}.123`, 'half');
      const listed = await bucket.list(environment);
      expect(listed.map((object) => object.name).sort()).toEqual([NAME, `${NAME}.123`]);
      expect(listed.every(({ ageMs }) => ageMs >= 0 && ageMs < 60_000)).toBe(true);
      await bucket.remove(environment, `${NAME}.123`);
      await bucket.remove(environment, `${NAME}.123`);
      expect((await bucket.list(environment)).map((object) => object.name)).toEqual([NAME]);
      expect(await bucket.put(environment, NAME, { version: 1 })).toBe(false);
    });

    test('where nothing was ever written nothing is listed, and removing is harmless', async () => {
      expect(await bucket.list(environment)).toEqual([]);
      await bucket.remove(environment, NAME);
    });

    test('what was removed can be written again', async () => {
      await bucket.put(environment, NAME, { version: 5 });
      await bucket.remove(environment, NAME);
      expect(await bucket.put(environment, NAME, { version: 1 })).toBe(true);
      expect(await published()).toEqual({ version: 1 });
    });

    test('environments do not see each other', async () => {
      await bucket.put(environment, NAME, { version: 5 });
      expect(await bucket.list(randomUUID())).toEqual([]);
      expect(await bucket.put(randomUUID(), NAME, { version: 1 })).toBe(true);
      expect(await published()).toEqual({ version: 5 });
    });
  });
}
