// What a bare machine finds on its network: a metadata service that speaks IMDSv2 alone, and a bucket that answers only who
// signs as the instance's role. Signatures are looked at by the SDK's own signer.
//   node services.mjs CONFIG     a JSON file: see bare-machine.ts
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { S3Client } from '@aws-sdk/client-s3';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { instance, region, role, files, userData } = config;
const TOKEN = 'a-session-token';

const said = instance !== null && {
  'meta-data/': 'instance-id\nlocal-ipv4\nlocal-hostname\nplacement/\n',
  'meta-data/instance-id': instance.id,
  'meta-data/local-ipv4': instance.address,
  'meta-data/local-hostname': 'bare',
  'meta-data/placement/': 'availability-zone',
  'meta-data/placement/availability-zone': instance.zone,
  'dynamic/instance-identity/': 'document',
  'dynamic/instance-identity/document': JSON.stringify({ region, instanceId: instance.id }),
  ...(userData === undefined ? {} : { 'user-data': userData }),
  ...(role === null
    ? {}
    : {
        'meta-data/iam/security-credentials/': 'quorate-role',
        'meta-data/iam/security-credentials/quorate-role': JSON.stringify({
          Code: 'Success',
          AccessKeyId: role.accessKeyId,
          SecretAccessKey: role.secretAccessKey,
          Token: role.sessionToken,
        }),
      }),
};

function metadata(request, response) {
  const answer = (status, text) => response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
  if (request.method === 'PUT' && request.url === '/latest/api/token') {
    const lifetime = Number(request.headers['x-aws-ec2-metadata-token-ttl-seconds']);
    return lifetime > 0 ? answer(200, TOKEN) : answer(400, 'no lifetime');
  }
  if (request.headers['x-aws-ec2-metadata-token'] !== TOKEN) return answer(401, 'no session');
  // Every version of it says the same.
  const name = request.url.replace(/^\/[^/]+\//, '');
  const text = said[name] ?? said[`${name}/`];
  return text === undefined ? answer(404, 'nothing of the kind') : answer(200, text);
}

async function bucket(request, response) {
  const refuse = (status, code) =>
    response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`);
  if (!request.url.startsWith('/open/') && !(await isSigned(request))) return refuse(403, 'AccessDenied');
  const file = files[request.url];
  if (file === undefined || !existsSync(file)) return refuse(404, 'NoSuchKey');
  response.writeHead(200, { 'content-length': statSync(file).size });
  createReadStream(file).pipe(response);
}

async function isSigned({ url, headers }) {
  const { authorization = '', host } = headers;
  const date = headers['x-amz-date'] ?? '';
  if (role === null || headers['x-amz-security-token'] !== role.sessionToken) return false;
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

const listen = (handler, host) => new Promise((resolve) => createServer(handler).listen(80, host, resolve));
if (instance !== null) await listen(metadata, '169.254.169.254');
await listen(bucket, '10.20.0.2');
process.stdout.write('serving\n');
