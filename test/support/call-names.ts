import type { IncomingHttpHeaders } from 'node:http';

/** The header that names the call: S3's calls do not do so by themselves. */
export const CALL = 'x-quorate-call';

/** What an instance fetches while it boots: no call of the product's, as no SDK makes it. */
export const FETCH = 'fetch at boot';

/** What S3 is asked about a bucket, by the word in the query. */
const OF_BUCKET: Readonly<Record<string, string>> = {
  publicAccessBlock: 'PutPublicAccessBlock',
  versioning: 'PutBucketVersioning',
  encryption: 'PutBucketEncryption',
  lifecycle: 'PutBucketLifecycleConfiguration',
  tagging: 'PutBucketTagging',
};
const BUCKET: Readonly<Record<string, string>> = { PUT: 'CreateBucket', DELETE: 'DeleteBucket' };
const OBJECT: Readonly<Record<string, string>> = { GET: 'GetObject', PUT: 'PutObject', DELETE: 'DeleteObject' };

/** A request to one of Amazon's services. */
export interface Asked {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** Whether its body is small: EC2's and STS's are a form, SSM's and Service Quotas' a document, S3's anything. */
export const isForm = ({ headers }: Asked): boolean =>
  (headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');

/** The call's name: as the header says it, else as the service does; of S3 by what is done to what. Pure. */
export function callOf(asked: Asked, body: Buffer): string {
  const { headers } = asked;
  const said = String(headers[CALL] ?? '');
  if (said !== '') return said;
  const target = String(headers['x-amz-target'] ?? '')
    .split('.')
    .at(-1);
  if (target) return target;
  if (isForm(asked)) return new URLSearchParams(body.toString()).get('Action') ?? '';
  return /aws-sdk-js/.test(headers['user-agent'] ?? '') ? s3Call(asked) : FETCH;
}

function s3Call({ method = '', url = '' }: Asked): string {
  const { pathname, searchParams } = new URL(url, 'http://s3');
  const [, ...key] = pathname.slice(1).split('/');
  if (key.join('/') !== '') return OBJECT[method] ?? '';
  if (method === 'GET') return searchParams.has('versions') ? 'ListObjectVersions' : 'ListObjectsV2';
  const about = Object.keys(OF_BUCKET).find((word) => searchParams.has(word));
  return (about === undefined ? BUCKET[method] : OF_BUCKET[about]) ?? '';
}
