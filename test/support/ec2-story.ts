import { CreateNetworkInterfaceCommand, CreateVolumeCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { readiness } from '../../src/cloud/ec2/check.js';
import type { Ec2Cloud } from '../../src/cloud/ec2/ec2-cloud.js';
import { tagsFrom } from '../../src/cloud/ec2/tags.js';

/** What a story ends in, without what differs each time. */
export interface Ending {
  readonly ready: number;
  readonly machines: readonly string[];
  readonly healthy: number;
  readonly open: readonly number[];
  readonly written: readonly boolean[];
  readonly objects: readonly string[];
  /** Environments that something is there of, but for this one. */
  readonly others: readonly string[];
  readonly left: readonly string[];
}

/**
 * All that the product asks of EC2, once: a check, two machines started, ports opened and changed, one stopped and started
 * again, addresses published, what there is of whom, one ended, everything removed. @param console who leaves a disk and a network interface behind by hand
 */
export async function story(cloud: Ec2Cloud, console: EC2Client, environment: string): Promise<Ending> {
  const { lacks } = await readiness(cloud, { controllers: 1, constraints: {}, toolchain: '/nowhere' });
  const [zone = ''] = await cloud.zones();
  await cloud.instanceTypes();
  const start = async (machine: string) =>
    await cloud.start({ tags: { environment, machine, nonce: `${environment}-${machine}` }, userData: 'hello', zone });
  const [zero, one] = [await start('0'), await start('1')];
  const rule = (port: number) => ({ protocol: 'tcp' as const, from: port, to: port, cidrs: ['0.0.0.0/0'] });
  await cloud.firewall.set({ instance: zero.id, version: 1, rules: [rule(80)] });
  await cloud.firewall.set({ instance: zero.id, version: 2, rules: [rule(443)] });
  const open = (await cloud.firewall.open(environment)).flatMap(({ rules }) => rules.map(({ from }) => from));
  await cloud.stop(zero.id, { graceMs: 10_000 });
  await cloud.startAgain(zero.id);
  await cloud.consoleLog(zero.id);
  const healthy = (await cloud.health([zero.id, one.id])).filter(({ checks }) => checks === 'passing').length;
  const written = [
    await cloud.bucket.put(environment, 'addresses.json', { version: 1 }),
    await cloud.bucket.put(environment, 'addresses.json', { version: 2 }),
    await cloud.bucket.put(environment, 'addresses.json', { version: 1 }),
  ];
  await cloud.bucket.put(environment, 'spent.json', { version: 1 });
  await cloud.bucket.remove(environment, 'spent.json');
  const objects = (await cloud.bucket.list(environment)).map(({ name }) => name);
  const others = [...(await cloud.tagged()).keys()].filter((uuid) => uuid !== environment);
  await cloud.terminate(one.id);
  const machines = (await cloud.list(environment)).map(({ tags, state }) => `${tags.machine} ${state}`).sort();
  const as = (ResourceType: 'volume' | 'network-interface') => [{ ResourceType, Tags: tagsFrom({ environment }) }];
  await console.send(new CreateVolumeCommand({ AvailabilityZone: zone, Size: 8, TagSpecifications: as('volume') }));
  const { subnets } = await cloud.network.get();
  await console.send(
    new CreateNetworkInterfaceCommand({
      SubnetId: subnets[0]?.id,
      Groups: [...zero.groups],
      TagSpecifications: as('network-interface'),
    }),
  );
  await cloud.removeEnvironment(environment);
  const left = (await cloud.list(environment)).filter(({ state }) => state !== 'terminated').map(({ id }) => id);
  return { ready: lacks.length, machines, healthy, open, written, objects, others, left };
}

/** How it has to end. */
export const ENDING: Ending = {
  ready: 0,
  machines: ['0 running', '1 terminated'],
  healthy: 2,
  open: [443],
  written: [true, true, false],
  objects: ['addresses.json'],
  others: [],
  left: [],
};
