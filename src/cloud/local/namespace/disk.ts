import { open, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError } from '../../../errors.js';
import { run } from './host.js';

/**
 * Takes all the space that is left on the limited disk of a running instance, or gives it back. The disk is mounted in the
 * instance's namespace alone: it is reached through its leader.
 */
export async function setDiskFull(directory: string, leader: number, full: boolean): Promise<void> {
  const disk = `/proc/${leader}/root${join(directory, 'disk')}`;
  const filler = join(disk, '.filler');
  if (!full) {
    await rm(filler, { force: true });
    return;
  }
  if ((await stat(disk)).dev === (await stat(join(disk, '..'))).dev) {
    throw new QuorateError(
      'disk-not-limited',
      `the disk of the instance in ${directory} is as large as this machine's`,
      {
        todo: 'give it one of its own first: quorate cloud limit-disk I 1G, then stop and start it',
        exit: 2,
      },
    );
  }
  const { bavail, bsize } = await statfs(disk);
  // At one go what certainly fits, the rest until there is no space, of a small disk's blocks of 1 KiB either.
  const most = Math.max(1, bavail - 1024) * bsize;
  await run('fallocate', '--length', String(most), filler);
  const file = await open(filler, 'a');
  try {
    for (const size of [65_536, 4096, 512]) while (await appended(file, Buffer.alloc(size)));
  } finally {
    await file.close();
  }
}

async function appended(file: Awaited<ReturnType<typeof open>>, bytes: Buffer): Promise<boolean> {
  try {
    await file.appendFile(bytes);
    await file.datasync();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}
