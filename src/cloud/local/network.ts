import { createHash, randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Static, Type } from '@sinclair/typebox';
import { QuorateError } from '../../errors.js';
import type { Instance } from '../cloud.js';
import { contains, type Subnet, subnetAt, subnetsFor, takenNetworks } from './namespace/subnet.js';
import { readAs, writeJson } from './records.js';

/**
 * `loopback`: an address in 127.0.0.0/8 for each instance. `ports`: 127.0.0.1 and two ports for each. `namespace`: an address
 * in a private network that the environment has to itself, whose first address is the host's.
 */
export type Addressing = 'loopback' | 'ports' | 'namespace';
export type Endpoint = Pick<Instance, 'address' | 'ports'>;

const PORTS = { api: 17070, mongo: 37017 } as const;
const HOSTS_IN_A_NET = 254;
/** How many addresses or ports in a row may be taken by others before we give up. */
const ATTEMPTS = 64;

/** network.json of an environment. */
const Network = Type.Object({
  version: Type.Literal(1),
  addressing: Type.Union([Type.Literal('loopback'), Type.Literal('ports'), Type.Literal('namespace')]),
  /** The second and third number of the first address. */
  base: Type.Tuple([Type.Integer(), Type.Integer()]),
  /** Rises; what an instance had is never another's, so that a late packet or an old address set finds nobody. */
  next: Type.Integer({ minimum: 1 }),
});
export type Network = Static<typeof Network>;

/**
 * The network of an environment, chosen now when it has none. Call it under the environment's lock; `used` are the
 * endpoints of all instances.
 */
export async function networkOf(
  directory: string,
  environment: string,
  wanted: Addressing,
  used: readonly Endpoint[],
): Promise<Network> {
  const path = join(directory, 'network.json');
  const read = await readAs(Network, path);
  // A network.json that is lost is made again, on a base nobody has used.
  if ('value' in read) return read.value;
  const network = await chooseNetwork(environment, wanted, used);
  await writeJson(path, network);
  return network;
}

/** The subnet of an environment whose instances have namespaces; null when they share the host's network. */
export function subnetOf(network: Network): Subnet | null {
  return network.addressing === 'namespace' ? subnetAt(network.base) : null;
}

/** The subnet of an environment as far as it has been chosen; null for none, or when instances share the host's network. */
export async function readSubnet(directory: string): Promise<Subnet | null> {
  const read = await readAs(Network, join(directory, 'network.json'));
  return 'value' in read ? subnetOf(read.value) : null;
}

/** Gives a new instance its address and ports. Call it under the environment's lock; `used` are those of all instances. */
export async function allocate(directory: string, network: Network, used: readonly Endpoint[]): Promise<Endpoint> {
  const path = join(directory, 'network.json');
  if (network.addressing === 'ports') return { address: '127.0.0.1', ports: await freePorts(used) };
  const subnet = subnetOf(network);
  for (let host = network.next; host < network.next + ATTEMPTS; host += 1) {
    const address = subnet === null ? addressAt(network.base, host) : subnet.instance(host);
    if (address === null || used.some((each) => each.address === address)) continue;
    if (subnet === null && (await bindError(address)) !== null) continue;
    await writeJson(path, { ...network, next: host + 1 } satisfies Network);
    return { address, ports: PORTS };
  }
  if (subnet !== null) throw noAddress(`all of ${subnet.cidr} were given once, and none is given twice`);
  throw noAddress(`from ${addressAt(network.base, network.next)} on, ports ${PORTS.api} or ${PORTS.mongo} are in use`);
}

async function chooseNetwork(environment: string, wanted: Addressing, used: readonly Endpoint[]): Promise<Network> {
  const network: Network = { version: 1, addressing: 'loopback', base: [0, 0], next: 1 };
  if (wanted === 'namespace')
    return { ...network, addressing: 'namespace', base: await chooseSubnet(environment, used) };
  if (wanted === 'loopback') {
    for (const base of basesFor(environment)) {
      if (used.some((each) => each.address.startsWith(`127.${base[0]}.${base[1]}.`))) continue;
      const error = await bindError(addressAt(base, 1));
      if (error === null) return { ...network, base };
      if (error === 'EADDRNOTAVAIL') break;
    }
  }
  return { ...network, addressing: 'ports' };
}

async function chooseSubnet(environment: string, used: readonly Endpoint[]): Promise<[number, number]> {
  const taken = await takenNetworks();
  const base = subnetsFor(environment).find((each) => {
    const { cidr, overlaps } = subnetAt(each);
    return !taken.some(overlaps) && !used.some(({ address }) => contains(cidr, address));
  });
  if (base === undefined) throw noAddress('this machine has routes into every private network that was tried');
  return base;
}
/** Where an environment may live, best first: from its UUID, never in 127.0, where systems keep names of their own. */
export function basesFor(environment: string): [number, number][] {
  const hash = createHash('sha256').update(environment).digest();
  return Array.from({ length: hash.length / 2 }, (_, i) => [
    1 + (hash.readUInt8(2 * i) % 254),
    hash.readUInt8(2 * i + 1),
  ]);
}

/** The `host`-th address (from 1) counted from a base; it runs on into the next net when one is used up. */
export function addressAt(base: readonly [number, number], host: number): string {
  const net = base[1] + Math.floor((host - 1) / HOSTS_IN_A_NET);
  return `127.${base[0]}.${net % 256}.${((host - 1) % HOSTS_IN_A_NET) + 1}`;
}

/** Null when both of our ports can be had there, else the first error's code. */
async function bindError(address: string): Promise<string | null> {
  return (await tryBind(address, PORTS.api)) ?? (await tryBind(address, PORTS.mongo));
}

/** Below the ports that systems give to outgoing connections, so that a stopped instance finds its own again. */
async function freePorts(used: readonly Endpoint[]): Promise<Endpoint['ports']> {
  const taken = new Set(used.flatMap((each) => [each.ports.api, each.ports.mongo]));
  const found: number[] = [];
  for (let attempt = 0; attempt < ATTEMPTS && found.length < 2; attempt += 1) {
    const port = randomInt(20_000, 32_768);
    if (taken.has(port) || (await tryBind('127.0.0.1', port)) !== null) continue;
    taken.add(port);
    found.push(port);
  }
  const [api, mongo] = found;
  if (api === undefined || mongo === undefined) throw noAddress('no free ports on 127.0.0.1 between 20000 and 32767');
  return { api, mongo };
}

function noAddress(reason: string): QuorateError {
  return new QuorateError('no-address', `there is no address for another instance: ${reason}`, {
    todo: 'end what listens there and try again',
  });
}

function tryBind(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}
