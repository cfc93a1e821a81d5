// A bucket that answers only who signs as the instance's role. Signatures are looked at by the SDK's own signer.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { S3Client } from '@aws-sdk/client-s3';

/**
 * @param files by URL's path; `/open/…` is for everybody
 * @param role whose credentials are taken; null for nobody's
 */
export function bucketOf(files, region, role) {
  return async (request, response) => {
    const refuse = (status, code) =>
      response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`);
    const open = request.url.startsWith('/open/');
    if (!open && !(role !== null && (await isSigned(request, region, role)))) return refuse(403, 'AccessDenied');
    const file = files[request.url];
    if (file === undefined || !existsSync(file)) return refuse(404, 'NoSuchKey');
    response.writeHead(200, { 'content-length': statSync(file).size });
    createReadStream(file).pipe(response);
  };
}

async function isSigned({ url, headers }, region, role) {
  const { authorization = '', host } = headers;
  const date = headers['x-amz-date'] ?? '';
  if (headers['x-amz-security-token'] !== role.sessionToken) return false;
  const client = new S3Client({ region, credentials: role });
  const how = { name: 'sigv4', signingName: 's3', signingRegion: region, properties: {} };
  const signer = await client.config.signer({ schemeId: 'aws.auth#sigv4', signingProperties: {}, ...how });
  const signed = Object.fromEntries(
    /SignedHeaders=([^,]*)/
      .exec(authorization)?.[1]
      .split(';')
      .map((name) => [name, headers[name]]) ?? [],
  );
  const [, year, month, day, hour, minute, second] = /^(....)(..)(..)T(..)(..)(..)Z$/.exec(date) ?? [];
  const signingDate = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (!(Math.abs(Date.now() - signingDate.getTime()) < 15 * 60_000)) return false;
  const [hostname, port] = host.split(':');
  const request = { method: 'GET', protocol: 'http:', hostname, path: url, query: {}, headers: signed };
  const again = await signer.sign({ ...request, ...(port ? { port: Number(port) } : {}) }, { signingDate });
  return again.headers.authorization === authorization;
}
