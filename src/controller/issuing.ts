import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { QuorateError } from '../errors.js';
import type { Authority } from '../pki/authority.js';
import { keyFilesIn } from '../pki/key-files.js';
import { issuingOf } from '../pki/trust.js';
import type { Controller } from './call.js';

/** The files that hold this controller's keys. */
export const keyFilesOf = ({ config }: Pick<Controller, 'config'>) => keyFilesIn(path.dirname(config.caKeyFile));

/**
 * The CA to issue with. While the CA is rotated this controller may not have come to the next one yet; then it is refused as
 * `rotating`, and another controller is to be asked, or the same one again.
 */
export async function issuingAuthority({ config, state }: Pick<Controller, 'config' | 'state'>): Promise<Authority> {
  const environment = await state.environment.findOne({});
  // Read after the document: what it says was in no file before.
  const [trusted, key] = await Promise.all([readFile(config.tls.ca, 'utf8'), readFile(config.caKeyFile, 'utf8')]);
  const certificate = issuingOf(key, trusted, environment?.authority?.trusted ?? null);
  if (certificate !== null) return { certificate, key };
  throw new QuorateError('rotating', 'The CA is being rotated, and this controller has not come to the next one yet.', {
    todo: 'Ask again, or ask another controller.',
  });
}
