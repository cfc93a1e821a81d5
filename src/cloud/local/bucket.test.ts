import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bucketContract } from '../../../test/contract/bucket-contract.js';
import { whileLocked } from '../../lock.js';
import { DirectoryBucket } from './bucket.js';

async function ground() {
  const home = await mkdtemp(join(tmpdir(), 'quorate-bucket-'));
  return {
    home,
    bucket: new DirectoryBucket((environment) => join(home, environment)),
    close: () => rm(home, { recursive: true, force: true }),
  };
}

bucketContract('a directory', async () => {
  const { home, bucket, close } = await ground();
  return {
    bucket,
    close,
    read: (url) => readFile(fileURLToPath(url), 'utf8'),
    litter: async (environment, name, text) => {
      await mkdir(join(home, environment, 'bucket'), { recursive: true });
      await writeFile(fileURLToPath(bucket.url(environment, name)), text);
    },
  };
});

test('as long as another writer stands still nobody writes', async () => {
  const { bucket, close } = await ground();
  try {
    const file = fileURLToPath(bucket.url('e', 'addresses.json'));
    await bucket.put('e', 'addresses.json', { version: 1 });
    await whileLocked(file, async () => {
      await expect(bucket.put('e', 'addresses.json', { version: 2 })).rejects.toMatchObject({ code: 'locked' });
      expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ version: 1 });
    });
    expect(await bucket.put('e', 'addresses.json', { version: 2 })).toBe(true);
  } finally {
    await close();
  }
});
