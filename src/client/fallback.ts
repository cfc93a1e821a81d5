import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { PublishedObject } from '../cloud/ec2/published.js';
import { s3ObjectAt } from '../cloud/s3-url.js';
import { reasonOf } from '../errors.js';
import { type AddressSet, isAddressSet } from '../store/record.js';
import type { Published } from './failures.js';

const PATIENCE_MS = 2_000;
const LARGEST = 1_000_000;
/** A look into S3 is paid for, and an agent that finds nobody asks every second. */
const PAID_MS = 5_000;

/** An object as it was read: its text, and the tag by which a later look is told that it is the same still. */
interface Read {
  readonly text: string;
  /** null where the server gives none: everything is read again then. */
  readonly etag: string | null;
}

/**
 * The published address set at its URL: a file for the local cloud, an object of S3's (read with whatever credentials there
 * are: an instance's role, a person's profile) or https for others. Asked again (an agent that finds nobody asks every
 * second) it reads only what has changed since. Whoever could change it could only make us dial in vain: who answers is
 * checked against the environment's CA.
 */
export class Fallback {
  readonly #url: string;
  #known: { readonly set: AddressSet; readonly etag: string } | null = null;
  #object: PublishedObject | null = null;
  #paid: { readonly at: number; readonly published: Published } | null = null;

  constructor(url: string) {
    this.#url = url;
  }

  async read(): Promise<Published> {
    const now = performance.now();
    if (this.#paid !== null && now - this.#paid.at < PAID_MS) return this.#paid.published;
    const published = await this.#look();
    this.#paid = this.#object === null ? null : { at: now, published };
    return published;
  }

  async #look(): Promise<Published> {
    try {
      const answer = await this.#read(new URL(this.#url), this.#known?.etag ?? null);
      if (answer === 'not-modified' && this.#known !== null) return { set: this.#known.set };
      if (answer === 'not-modified') return { failed: 'not modified, though nothing was known of it' };
      const set: unknown = JSON.parse(answer.text);
      if (!isAddressSet(set)) return { failed: 'not an address set' };
      this.#known = answer.etag === null ? null : { set, etag: answer.etag };
      return { set };
    } catch (error) {
      return { failed: isMissing(error) ? 'none yet' : reasonOf(error) };
    }
  }

  async #read(url: URL, known: string | null): Promise<Read | 'not-modified'> {
    if (url.protocol === 'file:') return await readFile(fileURLToPath(url), known);
    const object = s3ObjectAt(url);
    if (object !== null) {
      const { PublishedObject } = await import('../cloud/ec2/published.js');
      this.#object ??= new PublishedObject(object, PATIENCE_MS);
      return await this.#object.read(known, LARGEST);
    }
    if (url.protocol === 'https:') return await readHttps(url, known);
    throw new Error(`${url.protocol} is not read`);
  }
}

/** Nothing was published, or it was removed with its bucket. */
const isMissing = (error: unknown): boolean =>
  error instanceof Error &&
  (['NoSuchKey', 'NoSuchBucket'].includes(error.name) || ('code' in error && error.code === 'ENOENT'));

/** Each version is a file of its own that takes the name at once, so that its identity is its tag. */
async function readFile(path: string, known: string | null): Promise<Read | 'not-modified'> {
  const file = await open(path, 'r');
  try {
    const { ino, mtimeNs, size } = await file.stat({ bigint: true });
    if (size > LARGEST) throw new Error('too large');
    const etag = `"${ino}-${mtimeNs}-${size}"`;
    return etag === known ? 'not-modified' : { text: await file.readFile('utf8'), etag };
  } finally {
    await file.close();
  }
}

async function readHttps(url: URL, known: string | null): Promise<Read | 'not-modified'> {
  const { get } = await import('node:https');
  const headers = known === null ? {} : { 'if-none-match': known };
  return await new Promise((resolve, reject) => {
    const request = get(url, { headers, signal: AbortSignal.timeout(PATIENCE_MS) }, (answer) => {
      const { statusCode } = answer;
      if (statusCode === 200) {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          if (text.length > LARGEST) request.destroy(new Error('too large'));
        });
        answer.on('end', () => resolve({ text, etag: answer.headers.etag ?? null }));
      } else {
        answer.resume();
        if (statusCode === 304) resolve('not-modified');
        else reject(new Error(`HTTP status ${statusCode}`));
      }
      // A connection that ends in the middle of the object.
      answer.on('error', reject);
    });
    request.on('error', reject);
  });
}
