import { createHmac, randomBytes } from 'node:crypto';

/**
 * A machine's one-time boot token (hex): a function of the boot key and the machine's nonce, so that nothing has to be
 * stored and the user data of a retry has identical bytes.
 */
export function bootToken(bootKey: string, nonce: string): string {
  return createHmac('sha256', Buffer.from(bootKey, 'hex')).update('token').update(nonce).digest('hex');
}

/** 256 random bits, hex: a boot key, machine 0's token, or a nonce. */
export function randomSecret(): string {
  return randomBytes(32).toString('hex');
}
