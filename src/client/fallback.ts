import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { reasonOf } from '../errors.js';
import { isAddressSet } from '../store/record.js';
import type { Published } from './failures.js';

const PATIENCE_MS = 2_000;
const LARGEST = 1_000_000;

/**
 * Reads the published address set: a file for the local cloud, https for others. Whoever could change it could only make
 * us dial in vain: who answers is checked against the environment's CA.
 */
export async function readPublished(url: string): Promise<Published> {
  try {
    const set: unknown = JSON.parse(await read(new URL(url)));
    return isAddressSet(set) ? { set } : { failed: 'not an address set' };
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return { failed: missing ? 'none yet' : reasonOf(error) };
  }
}

async function read(url: URL): Promise<string> {
  if (url.protocol === 'file:') return await readFile(fileURLToPath(url), 'utf8');
  if (url.protocol !== 'https:') throw new Error(`${url.protocol} is not read`);
  const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'error' });
  if (!answer.ok) throw new Error(`HTTP status ${answer.status}`);
  const text = await answer.text();
  if (text.length > LARGEST) throw new Error('too large');
  return text;
}
