import { BlockList, isIPv4 } from 'node:net';

/** One port that is open. */
export interface Forwarder {
  /** From now on only these may come; connections of others are cut. */
  admit(sources: BlockList): void;
  /** Closes the port and cuts the connections through it. */
  close(): void;
}

/** Where a port is open, and where it leads to. */
export interface Route {
  /** Public address. */
  readonly address: string;
  readonly port: number;
  /** The instance's own address; its port is the same. */
  readonly target: string;
}

/** Networks, for looking addresses up. */
export function sourcesOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [network = '', length = ''] = cidr.split('/');
    list.addSubnet(network, Number(length), isIPv4(network) ? 'ipv4' : 'ipv6');
  }
  return list;
}

export const admits = (sources: BlockList, address: string | undefined): boolean =>
  address !== undefined && sources.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
