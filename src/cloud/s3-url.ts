/** An object of S3's, and where that is. */
export interface S3Object {
  readonly region: string;
  /** null for Amazon's own. */
  readonly endpoint: string | null;
  readonly bucket: string;
  readonly key: string;
}

/** Says that an object is S3's, and of which region, to whoever is given its URL and nothing else; a fragment is never sent. */
const MARK = '#s3=';
const AMAZONS = /^(.+)\.s3\.[^.]+\.amazonaws\.com(\.cn)?$/;

/** Its URL: a host name for each bucket at Amazon, the bucket in the path elsewhere. Pure. */
export function s3Url({ region, endpoint, bucket, key }: S3Object): string {
  if (endpoint !== null) return `${endpoint.replace(/\/$/, '')}/${bucket}/${key}${MARK}${region}`;
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://${bucket}.s3.${region}.${domain}/${key}${MARK}${region}`;
}

/** The object of such a URL; null for one of another kind. Pure. */
export function s3ObjectAt({ hash, hostname, origin, pathname }: URL): S3Object | null {
  if (!hash.startsWith(MARK)) return null;
  const region = hash.slice(MARK.length);
  const path = pathname.slice(1);
  const own = AMAZONS.exec(hostname)?.[1];
  if (own !== undefined) return { region, endpoint: null, bucket: own, key: path };
  const [bucket = '', ...key] = path.split('/');
  return { region, endpoint: origin, bucket, key: key.join('/') };
}
