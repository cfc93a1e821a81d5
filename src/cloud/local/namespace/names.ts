import { createHash } from 'node:crypto';

/** Names of network devices: 15 characters at most, and the same whenever they are asked for. */

/** The bridge of an environment, on which its instances and the host meet. */
export const bridgeOf = (environment: string): string => `qb${hashed(environment)}`;

/** An instance's cable, seen from the host: what goes in there came out of the instance. */
export const linkOf = (instance: string): string => `qv${digits(instance)}`;

/** Where a delayed cable is plugged in, beside one end of the forwarder; its other end is on the environment's bridge. */
export const delayBridgeOf = (instance: string): string => `qd${digits(instance)}`;

/** The forwarder's devices: near the instance, and near the others. */
export const delayEndsOf = (instance: string): [near: string, far: string] => [
  `qn${digits(instance)}`,
  `qf${digits(instance)}`,
];

const digits = (instance: string): string => instance.replace(/^i-/, '').slice(0, 12);

const hashed = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

/**
 * A hardware address that stays the same, whatever is plugged in, made again or started anew: else neighbours would go on
 * sending to one that is gone.
 */
export const hardwareAddressOf = (owner: string): string =>
  ['02', ...(hashed(owner).slice(0, 10).match(/../g) ?? [])].join(':');
