import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Value } from '@sinclair/typebox/value';
import { QuorateError } from '../errors.js';
import { TemporalConnection } from './wire.js';

/**
 * How controllers reach a Temporal that they are given while the environment runs, sealed with the boot key, which every
 * controller holds and nobody else: so it can stand in the environment's document and change together with the epoch.
 */
const LABEL = 'quorate temporal connection 1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function sealConnection(connection: TemporalConnection, bootKey: string, environment: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(bootKey, environment), nonce);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(connection), 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

/** Throws `sealed-damaged` for what was not sealed with this key for this environment. */
export function openSealed(sealed: string, bootKey: string, environment: string): TemporalConnection {
  const bytes = Buffer.from(sealed, 'base64');
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(bootKey, environment), nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(tag);
    const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    return Value.Parse(TemporalConnection, JSON.parse(text.toString('utf8')));
  } catch (error) {
    throw new QuorateError('sealed-damaged', 'The connection to Temporal in the documents cannot be opened here.', {
      todo: 'Hand it over again with: quorate engine adopt',
      cause: error,
    });
  }
}

/** The same with whichever of these keys it was sealed with: while keys are rotated a controller holds two. */
export function openSealedByOneOf(
  sealed: string,
  bootKeys: readonly string[],
  environment: string,
): TemporalConnection {
  for (const bootKey of bootKeys.slice(0, -1)) {
    try {
      return openSealed(sealed, bootKey, environment);
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
    }
  }
  return openSealed(sealed, bootKeys.at(-1) ?? '', environment);
}

function keyOf(bootKey: string, environment: string): Buffer {
  return Buffer.from(hkdfSync('sha256', Buffer.from(bootKey.trim(), 'hex'), environment, LABEL, 32));
}
