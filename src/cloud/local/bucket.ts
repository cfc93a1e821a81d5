import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Bucket, Versioned } from '../cloud.js';
import { withLock } from './lock.js';
import { writeJson } from './records.js';

/** A bucket that is a directory: each object a file, replaced at once by the next version. */
export class DirectoryBucket implements Bucket {
  /** @param home where an environment keeps what is its own */
  constructor(private readonly home: (environment: string) => string) {}

  url(environment: string, name: string): string {
    return pathToFileURL(this.#file(environment, name)).href;
  }

  async put(environment: string, name: string, object: Versioned): Promise<boolean> {
    const file = this.#file(environment, name);
    await mkdir(join(this.home(environment), 'bucket'), { recursive: true, mode: 0o700 });
    return await withLock(file, async () => {
      if ((await versionOf(file)) >= object.version) return false;
      await writeJson(file, object);
      return true;
    });
  }

  #file(environment: string, name: string): string {
    return join(this.home(environment), 'bucket', name);
  }
}

/** 0 for a file that is not there, or that cannot be understood: it is then written anew. */
async function versionOf(file: string): Promise<number> {
  try {
    const { version } = JSON.parse(await readFile(file, 'utf8')) as Partial<Versioned>;
    return typeof version === 'number' ? version : 0;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
