import type { AgentArchive } from './agent-archive.js';

/** Under it lies in an environment's bucket what its instances run: no object of its state, and never changed. */
export const AGENTS = 'agent/';

/** What an archive is called in the bucket: its contents' digest says whether it is there. Pure. */
export function archiveName({ version, processor, sha256 }: Omit<AgentArchive, 'bytes'>): string {
  return `${AGENTS}quorate-${version}-linux-${processor}-${sha256}.tar.gz`;
}
