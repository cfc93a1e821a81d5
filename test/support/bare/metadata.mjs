// An instance's metadata service, which speaks IMDSv2 alone.
const TOKEN = 'a-session-token';
const HOUR_MS = 3_600_000;

/** @param instance id, address, zone, and `userData` where it was given some; @param role its credentials; null for none */
export function metadataOf({ id, address, zone, userData }, region, role) {
  const said = {
    'meta-data/': 'instance-id\nlocal-ipv4\nlocal-hostname\nplacement/\n',
    'meta-data/instance-id': id,
    'meta-data/local-ipv4': address,
    'meta-data/local-hostname': 'bare',
    'meta-data/placement/': 'availability-zone\nregion',
    'meta-data/placement/availability-zone': zone,
    'meta-data/placement/region': region,
    'dynamic/instance-identity/': 'document',
    'dynamic/instance-identity/document': JSON.stringify({ region, instanceId: id }),
    ...(userData === undefined ? {} : { 'user-data': userData }),
    ...(role === null ? {} : { 'meta-data/iam/security-credentials/': 'quorate-role' }),
  };
  const credentials = () =>
    JSON.stringify({
      Code: 'Success',
      Type: 'AWS-HMAC',
      AccessKeyId: role.accessKeyId,
      SecretAccessKey: role.secretAccessKey,
      Token: role.sessionToken,
      LastUpdated: new Date().toISOString(),
      Expiration: new Date(Date.now() + HOUR_MS).toISOString(),
    });
  return (request, response) => {
    const answer = (status, text) => response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
    if (request.method === 'PUT' && request.url === '/latest/api/token') {
      const lifetime = request.headers['x-aws-ec2-metadata-token-ttl-seconds'];
      if (!(Number(lifetime) > 0)) return answer(400, 'no lifetime');
      response.setHeader('x-aws-ec2-metadata-token-ttl-seconds', lifetime);
      return answer(200, TOKEN);
    }
    if (request.headers['x-aws-ec2-metadata-token'] !== TOKEN) return answer(401, 'no session');
    // Every version of it says the same.
    const name = request.url.replace(/^\/[^/]+\//, '');
    if (role !== null && name === 'meta-data/iam/security-credentials/quorate-role') return answer(200, credentials());
    const text = said[name] ?? said[`${name}/`];
    return text === undefined ? answer(404, 'nothing of the kind') : answer(200, text);
  };
}
