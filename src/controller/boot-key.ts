import { readFile } from 'node:fs/promises';
import type { ControllerConfig } from './config.js';

/** The key that boot tokens and tokens of programs are derived from, in hex. */
export async function readBootKey({ bootKeyFile }: Pick<ControllerConfig, 'bootKeyFile'>): Promise<string> {
  return (await readFile(bootKeyFile, 'utf8')).trim();
}
