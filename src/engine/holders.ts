import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Who has a port or a file open, as far as this user may see. */
export interface Holder {
  readonly pid: number;
  readonly command: string;
}

export async function holderOfPort(port: number): Promise<Holder | null> {
  if (process.platform !== 'linux') return (await byLsof(['-nP', `-iTCP:${port}`, '-sTCP:LISTEN']))[0] ?? null;
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(readOrEmpty));
  const sockets = new Set(tables.flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`));
  return sockets.size === 0 ? null : ((await byDescriptor((link) => sockets.has(link)))[0] ?? null);
}

export async function holdersOfFile(file: string): Promise<Holder[]> {
  const real = await realpath(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null; // nobody can have it open
    throw error;
  });
  if (real === null) return [];
  return process.platform === 'linux' ? byDescriptor((link) => link === real) : byLsof(['--', real]);
}

/** Inodes of sockets that listen on a port, from a table as in /proc/net/tcp (proc(5)): 0A is LISTEN. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === '0A')
    .flatMap((fields) => fields[9] ?? []);
}

async function byDescriptor(wanted: (link: string) => boolean): Promise<Holder[]> {
  const holders: Holder[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const folder = `/proc/${pid}/fd`;
    const descriptors = await readdir(folder).catch(() => []); // gone, or someone else's
    for (const descriptor of descriptors) {
      const link = await readlink(`${folder}/${descriptor}`).catch(() => '');
      if (!wanted(link)) continue;
      const command = (await readOrEmpty(`/proc/${pid}/cmdline`)).split('\0').join(' ').trim();
      holders.push({ pid: Number(pid), command });
      break;
    }
  }
  return holders;
}

async function byLsof(args: readonly string[]): Promise<Holder[]> {
  const run = promisify(execFile);
  // lsof exits 1 when it finds nothing; without it nobody is named.
  const stdout = await run('lsof', ['-t', ...args]).then(
    (done) => done.stdout,
    () => '',
  );
  const pids = stdout.split('\n').filter((line) => line !== '');
  return Promise.all(
    pids.map(async (pid) => ({
      pid: Number(pid),
      command: await run('ps', ['-o', 'command=', '-p', pid]).then(
        (done) => done.stdout.trim(),
        () => '',
      ),
    })),
  );
}

const readOrEmpty = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
