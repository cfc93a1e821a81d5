import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Object } from '../s3-url.js';
import { identities } from './credentials.js';

/** What was read, and the tag by which a later look is told that it is the same still. */
export interface ReadObject {
  readonly text: string;
  readonly etag: string | null;
}

/**
 * An object as it is read by whoever has nothing but its URL: with the SDK's own chain of credentials, so an instance by its
 * role and a person by their profile. It loads the SDK: import this file only where such an object is to be read.
 */
export class PublishedObject {
  readonly #s3: S3Client;

  /** @param patienceMs without a word before it counts as unanswered */
  constructor(
    private readonly object: S3Object,
    patienceMs: number,
  ) {
    const { region, endpoint } = object;
    this.#s3 = new S3Client({
      region,
      credentials: identities().provide,
      maxAttempts: 1,
      requestHandler: { connectionTimeout: patienceMs, requestTimeout: patienceMs, throwOnRequestTimeout: true },
      ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    });
  }

  /** @param known the tag of what was read before; null for none. Throws the SDK's error, or `too large` */
  async read(known: string | null, largest: number): Promise<ReadObject | 'not-modified'> {
    const { bucket: Bucket, key: Key } = this.object;
    try {
      const found = await this.#s3.send(
        new GetObjectCommand({ Bucket, Key, ...(known === null ? {} : { IfNoneMatch: known }) }),
      );
      if ((found.ContentLength ?? 0) > largest) throw new Error('too large');
      return { text: (await found.Body?.transformToString()) ?? '', etag: found.ETag ?? null };
    } catch (error) {
      const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
      if (known !== null && $metadata?.httpStatusCode === 304) return 'not-modified';
      throw error;
    }
  }
}
