import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { QuorateError, reasonOf } from '../../../errors.js';

/** Administrators' programs are not on everybody's PATH. */
export const systemPath = (): string => `${process.env.PATH ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`;

/** Runs one of the system's programs; fails with what it said. */
export async function run(command: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { env: { PATH: systemPath(), LC_ALL: 'C' } });
    return stdout;
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === 'ENOENT') throw missing(command);
    const said = (stderr ?? '').trim() || reasonOf(error);
    throw new QuorateError('host-refused', `this machine refused \`${[command, ...args].join(' ')}\`: ${said}`, {
      cause: error,
    });
  }
}

/** Debian's names; other distributions have the same programs. */
const PACKAGES: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  tc: 'iproute2',
  perl: 'perl',
  'mkfs.ext4': 'e2fsprogs',
};

export function missing(command: string): QuorateError {
  return new QuorateError('program-missing', `${command} is not installed on this machine`, {
    todo: `install it (Debian: apt install ${PACKAGES[command] ?? 'util-linux'}) and try again`,
  });
}

export function isInstalled(command: string): boolean {
  return systemPath()
    .split(':')
    .some((directory) => directory !== '' && existsSync(`${directory}/${command}`));
}

/** Whether the host has a network device of that name. */
export const hasDevice = (name: string): boolean => existsSync(`/sys/class/net/${name}`);

/** The bridge that a device is plugged into; null for none, also when there is no such device. */
export async function bridgeAt(name: string): Promise<string | null> {
  try {
    return basename(await readlink(`/sys/class/net/${name}/master`));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Removes a device; one that is gone, or goes meanwhile with its namespace, is what was wanted. */
export async function removeDevice(name: string): Promise<void> {
  if (!hasDevice(name)) return;
  try {
    await run('ip', 'link', 'delete', 'dev', name);
  } catch (error) {
    if (hasDevice(name)) throw error;
  }
}
