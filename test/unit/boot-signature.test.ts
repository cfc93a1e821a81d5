import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/package.js';

const NOW = '20260102T030405Z';
const KEY = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'a/b+c==',
};
const ASK = `
import importlib.machinery, json, sys
fetch = importlib.machinery.SourceFileLoader('fetch', sys.argv[1]).load_module()
print(json.dumps(fetch.signed(*sys.argv[2:])))
`;

/** What an instance's own code sends, which knows nothing of the SDK. */
async function ours(url: string, region: string): Promise<Record<string, string>> {
  const { accessKeyId, secretAccessKey, sessionToken } = KEY;
  const given = [path.join(packageRoot(), 'boot', 'quorate-fetch'), url, region];
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONWARNINGS: 'ignore' };
  const said = await promisify(execFile)(
    'python3',
    ['-c', ASK, ...given, accessKeyId, secretAccessKey, sessionToken, NOW],
    { env },
  );
  return JSON.parse(said.stdout);
}

test.each([
  ['eu-west-1', 'https://quorate-1.s3.eu-west-1.amazonaws.com/agent/quorate-0.1.0-x86_64-abc.tar.gz'],
  ['us-gov-west-1', 'http://10.0.0.1:5000/quorate-1/agent/with%20space~tilde_under.tar.gz'],
])('in %s a request is signed as the SDK signs it', { timeout: 60_000 }, async (region, url) => {
  const { Authorization, ...headers } = await ours(url, region);
  const client = new S3Client({ region, credentials: KEY });
  const signer = await client.config.signer({
    schemeId: 'aws.auth#sigv4',
    signingProperties: {},
    name: 'sigv4',
    signingName: 's3',
    signingRegion: region,
    properties: {},
  } as never);
  const { hostname, port, pathname, protocol } = new URL(url);
  const request = { method: 'GET', protocol, hostname, path: pathname, query: {}, headers };
  const { headers: signed } = await signer.sign(
    { ...request, ...(port === '' ? {} : { port: Number(port) }) } as never,
    { signingDate: new Date('2026-01-02T03:04:05Z') } as never,
  );
  expect(Authorization).toBe((signed as Record<string, string>).authorization);
});
