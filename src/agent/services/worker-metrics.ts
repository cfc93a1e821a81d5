import { isIPv4 } from 'node:net';
import type { InstanceMetadata } from '../../boot/user-data.js';

/**
 * host:port where a machine's worker tells its figures, for its own API server alone: nobody is asked who they are there. It
 * is the port after the API's, on the machine's own loopback; instances that share one have an address of their own in it,
 * or a port.
 */
export function workerMetricsAddress({ address, ports }: Pick<InstanceMetadata, 'address' | 'ports'>): string {
  const shared = isIPv4(address) && address.startsWith('127.');
  return `${shared ? address : '127.0.0.1'}:${ports.api + 1}`;
}
