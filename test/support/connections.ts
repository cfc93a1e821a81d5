import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const ESTABLISHED = '01';

/** Addresses (host:port) that a process is connected to at a port, as the kernel has them. Linux, IPv4. */
export function connectedTo(pid: number, port: number): string[] {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return []; // Closed while we looked.
      }
    }),
  );
  const rows = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  const remotes = rows.flatMap((row) => {
    const [, , remote = '', state, , , , , , inode = ''] = row.trim().split(/\s+/);
    return state === ESTABLISHED && own.has(inode) ? [addressOf(remote)] : [];
  });
  return [...new Set(remotes)].filter((address) => address.endsWith(`:${port}`));
}

/** 0100007F:42B2 is 127.0.0.1:17074: the address in the machine's byte order. */
function addressOf(hex: string): string {
  const [host = '', port = ''] = hex.split(':');
  const bytes = (host.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16));
  return `${bytes.join('.')}:${Number.parseInt(port, 16)}`;
}
