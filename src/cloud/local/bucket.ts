import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { whenUnlocked } from '../../lock.js';
import type { Bucket, BucketObject, Versioned } from '../cloud.js';
import { versionIn } from '../versioned.js';
import { writeJson } from './records.js';

/** A write takes some hundredths of a second; who waits longer waits for a process that stands still. */
const BUSY = { forMs: 2_000, everyMs: 20 } as const;

/**
 * A bucket that is a directory: each object a file, replaced at once by the next version. Versions are compared and written
 * under a lock that only the end of its holder releases: one that stood still in between cannot write an old one when it
 * goes on, since nobody has written a newer one meanwhile.
 */
export class DirectoryBucket implements Bucket {
  /** @param home where an environment keeps what is its own */
  constructor(private readonly home: (environment: string) => string) {}

  url(environment: string, name: string): string {
    return pathToFileURL(join(this.#directory(environment), name)).href;
  }

  async put(environment: string, name: string, object: Versioned): Promise<boolean> {
    const directory = this.#directory(environment);
    const file = join(directory, name);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return await whenUnlocked(file, BUSY, async () => {
      if ((await versionOf(file)) >= object.version) return false;
      await writeJson(file, object);
      return true;
    });
  }

  async list(environment: string): Promise<readonly BucketObject[]> {
    const directory = this.#directory(environment);
    const names = await readdir(directory).catch(absent<string[]>([]));
    const objects = await Promise.all(
      names.map(async (name) => {
        const seen = await stat(join(directory, name)).catch(absent(null));
        return seen === null ? [] : [{ name, ageMs: Math.max(0, Date.now() - seen.mtimeMs) }];
      }),
    );
    return objects.flat();
  }

  async remove(environment: string, name: string): Promise<void> {
    await rm(join(this.#directory(environment), name), { recursive: true, force: true });
  }

  #directory(environment: string): string {
    return join(this.home(environment), 'bucket');
  }
}

/** 0 for a file that is not there. */
async function versionOf(file: string): Promise<number> {
  return versionIn(await readFile(file, 'utf8').catch(absent('{}')));
}

/** What is not there is taken for `instead`; any other failure is one. */
const absent =
  <T>(instead: T) =>
  (error: unknown): T => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return instead;
  };
