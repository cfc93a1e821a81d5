// What a bare machine finds on its network: a metadata service, and, where it is on no network that others are on, a bucket.
//   node services.mjs CONFIG     a JSON file: see machine.ts
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { metadataOf } from './metadata.mjs';

const { instance, region, role, files } = JSON.parse(readFileSync(process.argv[2], 'utf8'));

const listen = (handler, host) => new Promise((resolve) => createServer(handler).listen(80, host, resolve));
if (instance !== null) await listen(metadataOf(instance, region, role), '169.254.169.254');
if (files !== null) {
  // The SDK is slow to load, and not every machine has to.
  const { bucketOf } = await import('./bucket.mjs');
  await listen(bucketOf(files, region, role), '10.20.0.2');
}
process.stdout.write('serving\n');
