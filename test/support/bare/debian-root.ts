import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { dirsOf } from '../../../src/store/dirs.js';

const run = promisify(execFile);
const RELEASE = 'bookworm';
/** What Debian's image for EC2 has and we look at, and what the mongod of the tests is linked with. */
const PACKAGES = ['cloud-init', 'systemd-sysv', 'dbus', 'iproute2', 'ca-certificates', 'libcurl4'];

/**
 * A Debian root with systemd and cloud-init, made from Debian's packages by debootstrap, in the person's own cache;
 * QUORATE_TEST_DEBIAN_ROOT names one that is there.
 */
export async function debianRoot(): Promise<string> {
  const given = process.env.QUORATE_TEST_DEBIAN_ROOT;
  if (given !== undefined) return given;
  const { cache } = dirsOf(process.env);
  const place = path.join(cache, `debian-${RELEASE}`);
  if (existsSync(place)) return place;
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const staging = await mkdtemp(path.join(cache, `debian-${RELEASE}-`));
  try {
    const root = path.join(staging, 'root');
    await debootstrap(staging, root);
    // As this machine reaches Debian.
    for (const file of ['/etc/resolv.conf', '/etc/hosts']) await copyFile(file, path.join(root, file));
    const configured = '/etc/apt/apt.conf.d';
    for (const name of await readdir(configured))
      await copyFile(path.join(configured, name), path.join(root, configured, name));
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
    for (const args of [['update'], ['install', '--yes', '--no-install-recommends', ...PACKAGES], ['clean']]) {
      await run('chroot', [root, 'apt-get', '--quiet', ...args], { env, maxBuffer: 1 << 26 });
    }
    // Whoever was first has made the same.
    await rename(root, place).catch((error) => {
      if (!existsSync(place)) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return place;
}

/** By Debian's own program, fetched where it is not installed: it is a script. */
async function debootstrap(staging: string, root: string): Promise<void> {
  await run('apt-get', ['download', 'debootstrap'], { cwd: staging });
  const archive = (await readdir(staging)).find((name) => name.endsWith('.deb')) ?? '';
  const unpacked = path.join(staging, 'debootstrap');
  await run('dpkg', ['-x', path.join(staging, archive), unpacked]);
  const env = { ...process.env, DEBOOTSTRAP_DIR: path.join(unpacked, 'usr/share/debootstrap') };
  const program = path.join(unpacked, 'usr/sbin/debootstrap');
  await run('sh', [program, '--variant=minbase', RELEASE, root], { env, maxBuffer: 1 << 26 });
}
