import type { AgentArchive } from '../../../pack/agent-archive.js';
import { archiveName } from '../../../pack/names.js';
import type { S3Bucket } from '../bucket.js';
import type { Archive } from './sources.js';

/**
 * Puts our package into the environment's bucket, once, and says where instances get it: by the role that they have, as the
 * bucket is private.
 */
export async function publishAgent(bucket: S3Bucket, environment: string, archive: AgentArchive): Promise<Archive> {
  const name = archiveName(archive);
  await bucket.putOnce(environment, name, archive.bytes);
  return { url: bucket.url(environment, name), sha256: archive.sha256, access: 'role' };
}
