import { archiveName } from '../../../pack/names.js';
import { packageVersion } from '../../../package.js';
import type { Preparing } from '../../cloud.js';
import type { S3Bucket } from '../bucket.js';
import type { Architecture } from '../image-names.js';
import type { Ec2Settings } from '../settings.js';
import { type Had, type Made, type Parts, type PartsOptions, partsFor, sha256Of } from './parts.js';
import { type Archive, type BootSources, PARTS, type Part, type Source } from './sources.js';

/** What a machine's architecture can boot with. */
export interface Bootable {
  readonly parts: ReadonlyMap<Architecture, Parts>;
  /** Why the others cannot, by architecture. */
  readonly refusals: ReadonlyMap<Architecture, unknown>;
}

/** Which of these architectures can be booted, and why the others cannot. */
export async function bootable(
  architectures: readonly Architecture[],
  settings: Pick<Ec2Settings, 'named' | 'profile' | 'image'>,
  options: PartsOptions,
): Promise<Bootable> {
  const parts = new Map<Architecture, Parts>();
  const refusals = new Map<Architecture, unknown>();
  for (const architecture of architectures) {
    try {
      parts.set(architecture, await partsFor(architecture, settings, options));
    } catch (error) {
      refusals.set(architecture, error);
    }
  }
  return { parts, refusals };
}

/**
 * Puts into the environment's bucket what instances of these architectures run, each archive once, and says where they get
 * it. Done again it finds what is there.
 */
export async function publishParts(
  bucket: S3Bucket,
  environment: string,
  region: string,
  { parts }: Bootable,
  { onProgress }: Preparing,
): Promise<BootSources> {
  const sources: Record<Part, Partial<Record<Architecture, Source>>> = { node: {}, mongod: {}, agent: {} };
  for (const [architecture, had] of parts) {
    for (const part of PARTS) {
      sources[part][architecture] = await sourceOf(had[part], part, architecture, bucket, environment, onProgress);
    }
  }
  return { version: packageVersion(), region, ...sources } as BootSources;
}

async function sourceOf(
  had: Had,
  part: Part,
  architecture: Architecture,
  bucket: S3Bucket,
  environment: string,
  onProgress: (sentence: string) => void,
): Promise<Source> {
  if ('source' in had) return had.source;
  onProgress(`Putting ${had.told} for ${architecture} into the environment’s bucket`);
  return await publish(bucket, environment, part, architecture, had.made);
}

/** Puts an archive into the environment's bucket, once, and says where it is: the bucket is private, so by role. */
export async function publish(
  bucket: S3Bucket,
  environment: string,
  part: Part,
  architecture: Architecture,
  { version, bytes }: Made,
): Promise<Archive> {
  const contents = await bytes();
  const sha256 = sha256Of(contents);
  const name = archiveName({ part, version, architecture, sha256 });
  await bucket.putOnce(environment, name, contents);
  const [url = ''] = bucket.url(environment, name).split('#');
  return { url, sha256, access: 'role' };
}
