/** Under it lies in an environment's bucket what its instances run: no object of its state, and never changed. */
export const PARTS_IN_BUCKET = 'parts/';

export interface PartArchive {
  /** `node`, `mongod`, `agent`. */
  readonly part: string;
  readonly version: string;
  readonly architecture: string;
  /** Hex. */
  readonly sha256: string;
}

/** What an archive is called in the bucket: its contents' digest says whether it is there. Pure. */
export function archiveName({ part, version, architecture, sha256 }: PartArchive): string {
  return `${PARTS_IN_BUCKET}${part}-${version}-linux-${architecture}-${sha256}.tar.gz`;
}
