/** Finding the real servers, told to the person who waits for them. */
import { type FoundServer, findServer, type Telling } from '../toolchain/find.js';
import type { ServerKind } from '../toolchain/servers.js';

/** On a terminal a line is written over; `\r` and "erase the line". */
const ANEW = '\r\x1b[2K';

/** What is done, without how far it is: a line each where nothing can be written over. */
export function subjects(write: (line: string) => void): (line: string) => void {
  let told = '';
  return (line) => {
    const subject = line.replace(/: \d+( of \d+)? MB$/, '');
    if (subject !== told) write(subject);
    told = subject;
  };
}

/** How far a download is, and what is passed over and why, on stderr. What is being done may stand on the line meanwhile. */
export const telling: Required<Telling> = {
  onProgress: process.stderr.isTTY
    ? (line) => process.stderr.write(`${ANEW}  ${line}`)
    : subjects((line) => process.stderr.write(`  ${line}\n`)),
  onPassedOver: ({ candidate, reason }) =>
    process.stderr.write(`${process.stderr.isTTY ? ANEW : ''}  Passed over ${candidate}: ${reason}\n`),
};

/**
 * A server that runs on this machine, looked for before anything is changed: machines of the local cloud find the same one
 * when they boot.
 */
export async function requireServer(kind: ServerKind, cacheDir: string): Promise<FoundServer> {
  try {
    return await findServer(kind, { cacheDir, ...telling });
  } finally {
    if (process.stderr.isTTY) process.stderr.write(ANEW);
  }
}
