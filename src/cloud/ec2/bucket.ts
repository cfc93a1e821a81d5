import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import type { Bucket, BucketObject, Versioned } from '../cloud.js';
import { s3Url } from '../s3-url.js';
import { versionIn } from '../versioned.js';
import type { Amazon } from './amazon.js';
import type { CallName } from './calls.js';
import { AmazonError, ifThere } from './errors.js';
import { TAGS } from './tags.js';

/** How often a write is begun anew because somebody else wrote meanwhile. */
const ATTEMPTS = 10;
/** A bucket that was just made may not be shown everywhere at once, and two that make it at once are in each other's way. */
const MADE_MS = 30_000;
/** How long the upload of an archive may take, over a slow line. */
const UPLOAD_MS = 20 * 60_000;
/** How long what was replaced can still be looked at. */
const KEPT_DAYS = 30;

/** The environment's bucket: its name is the environment's UUID, so that nobody has to remember it. */
export const bucketName = (environment: string): string => `quorate-${environment}`;

/**
 * A bucket of S3's, closed to the public, versioned and encrypted, made with its first object. Versions are compared and
 * written as one act by S3's conditional writes. Every call names the account that must own the bucket: a name that somebody
 * else took first is refused, not written to.
 */
export class S3Bucket implements Bucket {
  /** @param account ID of the account whose bucket it must be */
  constructor(
    private readonly amazon: Amazon,
    private readonly account: () => Promise<string>,
  ) {}

  url(environment: string, name: string): string {
    const { region, s3Endpoint } = this.amazon;
    return s3Url({ region, endpoint: s3Endpoint, bucket: bucketName(environment), key: name });
  }

  async put(environment: string, name: string, object: Versioned): Promise<boolean> {
    const text = `${JSON.stringify(object)}\n`;
    for (let attempt = 1; ; attempt += 1) {
      const there = await this.#read(environment, name);
      // Written by us though we were told that somebody else had: the answer to an earlier attempt was lost.
      if (attempt > 1 && there?.text === text) return true;
      if (there !== null && versionIn(there.text) >= object.version) return false;
      if (there === null) await this.#ready(environment);
      try {
        await this.#write(environment, name, text, there?.etag ?? null);
        return true;
      } catch (error) {
        const lost = error instanceof AmazonError && ['re-plan', 'look-again', 'retry'].includes(error.reaction);
        if (!lost || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /**
   * Writes what is named by its contents, unless it is there; false when it was. A bucket that is not there is made first.
   * @param name holds the contents' digest, so that nobody ever has to write it again
   */
  async putOnce(environment: string, name: string, bytes: Buffer): Promise<boolean> {
    if ((await this.#ready(environment)).some((object) => object.name === name)) return false;
    const at = await this.#at(environment);
    const send = () =>
      this.amazon.s3.send(
        new PutObjectCommand({ ...at, Key: name, Body: bytes, ContentType: 'application/gzip', IfNoneMatch: '*' }),
        { requestTimeout: UPLOAD_MS },
      );
    try {
      await this.amazon.askUntilFree('PutObject', send, UPLOAD_MS, ['retry', 'look-again']);
      return true;
    } catch (error) {
      // Somebody else was quicker, or the answer to an earlier attempt was lost: it is there.
      if (error instanceof AmazonError && error.reaction === 're-plan') return false;
      throw error;
    }
  }

  async list(environment: string): Promise<readonly BucketObject[]> {
    const objects: BucketObject[] = [];
    let ContinuationToken: string | undefined;
    do {
      const at = await this.#at(environment);
      const page = await this.#ifThere('ListObjectsV2', () =>
        this.amazon.s3.send(new ListObjectsV2Command({ ...at, ContinuationToken, MaxKeys: this.amazon.pageSize })),
      );
      const now = Date.now();
      for (const { Key: name = '', LastModified } of page?.Contents ?? []) {
        objects.push({ name, ageMs: Math.max(0, now - (LastModified?.getTime() ?? now)) });
      }
      ContinuationToken = page?.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    return objects;
  }

  async remove(environment: string, name: string): Promise<void> {
    await this.#delete(environment, name);
  }

  /** Removes the bucket with all versions of all that lies in it; harmless when it is gone. */
  async removeAll(environment: string): Promise<void> {
    const at = await this.#at(environment);
    for (let round = 1; ; round += 1) {
      const page = await this.#ifThere('ListObjectVersions', () =>
        this.amazon.s3.send(new ListObjectVersionsCommand({ ...at, MaxKeys: this.amazon.pageSize })),
      );
      if (page === null) return;
      const versions = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
      await Promise.all(versions.map(({ Key = '', VersionId }) => this.#delete(environment, Key, VersionId)));
      try {
        await this.#ifThere('DeleteBucket', () => this.amazon.s3.send(new DeleteBucketCommand(at)));
        return;
      } catch (error) {
        // There are more than one page has, or somebody wrote meanwhile.
        const more = error instanceof AmazonError && error.code === 'cloud-in-use';
        if (!more || (versions.length === 0 && round >= ATTEMPTS)) throw error;
      }
    }
  }

  /** Whether it is there at all. */
  async exists(environment: string): Promise<boolean> {
    const at = await this.#at(environment);
    const found = await this.#ifThere('ListObjectsV2', () =>
      this.amazon.s3.send(new ListObjectsV2Command({ ...at, MaxKeys: 1 })),
    );
    return found !== null;
  }

  async #read(environment: string, name: string): Promise<{ text: string; etag: string } | null> {
    const at = await this.#at(environment);
    return await this.#ifThere('GetObject', async () => {
      const { Body, ETag = '' } = await this.amazon.s3.send(new GetObjectCommand({ ...at, Key: name }));
      return { text: (await Body?.transformToString()) ?? '', etag: ETag };
    });
  }

  /** @param etag of what is replaced; null where nothing may be there */
  async #write(environment: string, name: string, text: string, etag: string | null): Promise<void> {
    const at = await this.#at(environment);
    await this.amazon.ask('PutObject', () =>
      this.amazon.s3.send(
        new PutObjectCommand({
          ...at,
          Key: name,
          Body: text,
          ContentType: 'application/json',
          ...(etag === null ? { IfNoneMatch: '*' } : { IfMatch: etag }),
        }),
      ),
    );
  }

  async #delete(environment: string, name: string, version?: string): Promise<void> {
    const at = await this.#at(environment);
    await this.#ifThere('DeleteObject', () =>
      this.amazon.s3.send(new DeleteObjectCommand({ ...at, Key: name, ...(version ? { VersionId: version } : {}) })),
    );
  }

  /**
   * Objects are written once the bucket is as it must be, so any that is there says that it is: instances may not make it.
   * @returns what lies in it
   */
  async #ready(environment: string): Promise<readonly BucketObject[]> {
    const objects = await this.list(environment);
    if (objects.length === 0) await this.#make(environment);
    return objects;
  }

  /** Makes it, or makes it as it must be; the same again changes nothing. */
  async #make(environment: string): Promise<void> {
    const at = await this.#at(environment);
    const { region, s3 } = this.amazon;
    const make = <T>(call: CallName, send: () => Promise<T>) =>
      this.amazon.askUntilFree(call, send, MADE_MS, ['retry', 'look-again']);
    try {
      await make('CreateBucket', () =>
        s3.send(
          new CreateBucketCommand({
            Bucket: at.Bucket,
            // The region that S3 began in is not named.
            ...(region === 'us-east-1'
              ? {}
              : { CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint } }),
          }),
        ),
      );
    } catch (error) {
      if (!(error instanceof AmazonError) || error.code !== 'cloud-there-already') throw error;
    }
    await make('PutPublicAccessBlock', () =>
      s3.send(
        new PutPublicAccessBlockCommand({
          ...at,
          PublicAccessBlockConfiguration: {
            BlockPublicAcls: true,
            IgnorePublicAcls: true,
            BlockPublicPolicy: true,
            RestrictPublicBuckets: true,
          },
        }),
      ),
    );
    await make('PutBucketVersioning', () =>
      s3.send(new PutBucketVersioningCommand({ ...at, VersioningConfiguration: { Status: 'Enabled' } })),
    );
    await make('PutBucketEncryption', () =>
      s3.send(
        new PutBucketEncryptionCommand({
          ...at,
          ServerSideEncryptionConfiguration: {
            Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
          },
        }),
      ),
    );
    await make('PutBucketLifecycleConfiguration', () =>
      s3.send(
        new PutBucketLifecycleConfigurationCommand({
          ...at,
          LifecycleConfiguration: {
            Rules: [
              {
                ID: 'replaced',
                Status: 'Enabled',
                Filter: { Prefix: '' },
                NoncurrentVersionExpiration: { NoncurrentDays: KEPT_DAYS },
              },
            ],
          },
        }),
      ),
    );
    await make('PutBucketTagging', () =>
      s3.send(
        new PutBucketTaggingCommand({ ...at, Tagging: { TagSet: [{ Key: TAGS.environment, Value: environment }] } }),
      ),
    );
  }

  /** null where the bucket or the object is not there. */
  async #ifThere<T>(call: CallName, send: () => Promise<T>): Promise<T | null> {
    return await ifThere(this.amazon.ask(call, send));
  }

  async #at(environment: string): Promise<{ Bucket: string; ExpectedBucketOwner: string }> {
    return { Bucket: bucketName(environment), ExpectedBucketOwner: await this.account() };
  }
}
