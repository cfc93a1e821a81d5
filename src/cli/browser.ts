import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { QuorateError, reasonOf } from '../errors.js';
import { writePrivate } from '../store/files.js';

const OPENERS: Partial<Record<NodeJS.Platform, string>> = { linux: 'xdg-open', darwin: 'open' };

/**
 * Opens an address that holds a secret in the browser. What programs are started with can be read by everybody on this
 * machine, so the browser is given a file of mode 0600 that leads there; it is as short-lived as the secret.
 */
export async function openPrivately(directory: string, url: string): Promise<void> {
  const opener = OPENERS[process.platform];
  if (opener === undefined) throw cannotOpen(`nothing is known that opens a browser on ${process.platform}`);
  const file = join(directory, 'dashboard.html');
  await writePrivate(
    file,
    `<!doctype html><meta http-equiv="refresh" content="0; url=${url.replaceAll('&', '&amp;')}">\n`,
  );
  await new Promise<void>((resolve, reject) => {
    const child = spawn(opener, [pathToFileURL(file).href], { stdio: 'ignore', detached: true });
    child.on('error', (error) => reject(cannotOpen(reasonOf(error))));
    child.on('spawn', () => {
      child.unref();
      resolve();
    });
  });
}

function cannotOpen(why: string): QuorateError {
  return new QuorateError('no-browser', `no browser could be opened: ${why}.`, { todo: 'Open the address by hand.' });
}
