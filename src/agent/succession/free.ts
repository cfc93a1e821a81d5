/** Closing the sockets that a mongod holds to one host, from outside: what makes it let go of a frozen source at once. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Closes every connection of the process `pid` to `host`; false where that is not possible (not root, no `ss`, a kernel
 * without it), or when there was none.
 */
export async function closeSockets(pid: number, host: string): Promise<boolean> {
  const [address, port] = host.split(':') as [string, string];
  const there = ['dst', address, 'and', 'dport', '=', `:${port}`];
  try {
    const { stdout } = await run('ss', ['-tnpH', ...there]);
    const ports = localPorts(stdout, pid);
    if (ports.length === 0) return false;
    const own = ports.flatMap((local, n) => [...(n === 0 ? [] : ['or']), 'sport', '=', `:${local}`]);
    await run('ss', ['-K', ...there, 'and', '(', ...own, ')']);
    const { stdout: left } = await run('ss', ['-tnpH', ...there]);
    return !localPorts(left, pid).some((local) => ports.includes(local));
  } catch {
    return false;
  }
}

/** Own ports of a process's connections, as `ss -tnpH` lists them. */
export function localPorts(listing: string, pid: number): string[] {
  return listing
    .split('\n')
    .filter((line) => line.includes(`pid=${pid},`))
    .flatMap((line) => /:(\d+)$/.exec(line.trim().split(/\s+/)[3] ?? '')?.[1] ?? []);
}
