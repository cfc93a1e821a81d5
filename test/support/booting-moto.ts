import { existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSubnetCommand, CreateVpcCommand } from '@aws-sdk/client-ec2';
import type { Link } from '../../src/cloud/local/isolation.js';
import { addressOf, numberOf } from '../../src/cloud/local/namespace/subnet.js';
import { debianRoot } from './bare/debian-root.js';
import type { Shared } from './bare/machine.js';
import { type FirstProcess, Guest } from './booting/guest.js';
import { BareNetwork } from './booting/network.js';
import { BootingProxy } from './booting/proxy.js';
import { consoleAt, REGION } from './ec2.js';
import { Moto } from './moto.js';
import { reap, reaped } from './reap.js';

/** An instance profile that is there. */
export const PROFILE = 'quorate-instance';

/** Of each zone's subnet, in the 4,096 that a network has. */
const SUBNET = { length: 22, size: 1024 } as const;

/**
 * moto, whose instances really boot: each is a bare Debian in namespaces of its own, with the address that moto gave it on a
 * network that they share with this host, its metadata service, and the user data that its RunInstances gave. They reach the
 * endpoint, and what else listens at `gateway`. There are no public addresses, security groups let everything in, and who ends
 * an instance cuts its power. Only where there are namespaces.
 */
export class BootingMoto {
  private constructor(
    private readonly moto: Moto,
    private readonly proxy: BootingProxy,
    private readonly network: BareNetwork,
    /** Where each instance has a directory. */
    readonly machines: string,
    /** The VPC that the instances have to be in. */
    readonly vpc: string,
    private readonly reaper: ReturnType<typeof reap>,
  ) {}

  /** @param shared what of this host its instances see besides */
  static async start(firstProcess: FirstProcess = 'shell', shared?: Shared): Promise<BootingMoto> {
    const root = await debianRoot();
    const moto = await Moto.start();
    const directory = mkdtempSync(join(tmpdir(), 'quorate-test-booting-'));
    const reaper = reap(directory);
    const machines = join(directory, 'machines');
    mkdirSync(machines);
    try {
      const network = await BareNetwork.make(machines);
      const proxy = await BootingProxy.start(network.gateway, moto.endpoint, (ordered, endedItself) => {
        const { id, address, zone, userData, role } = ordered;
        const surroundings = {
          identity: { id, address, zone },
          role,
          cable: network.cableOf(id, address),
          ...(shared && { shared }),
        };
        return new Guest(root, join(machines, id), userData, surroundings, firstProcess, endedItself);
      });
      const vpc = await makeVpc(moto.endpoint, network.subnet.cidr);
      await makeProfile(moto.endpoint);
      return new BootingMoto(moto, proxy, network, machines, vpc, reaper);
    } catch (error) {
      await moto.stop();
      await reaped(reaper);
      throw error;
    }
  }

  /** Where instances and whoever runs on this host reach EC2, S3, SSM and STS. */
  get endpoint(): string {
    return this.proxy.endpoint;
  }

  /** This host's address among the instances. */
  get gateway(): string {
    return this.network.gateway;
  }

  /** PID of an instance's first process, as the host counts; null while it is off. */
  firstProcess(instance: string): number | null {
    return this.proxy.guest(instance).pid;
  }

  /** A file or folder of an instance's disk, also while it is off. */
  disk(instance: string, file: string): string {
    return join(this.machines, instance, 'disk/upper', file);
  }

  /** Cuts the cable of an instance that is on, makes it slow or lossy, or heals it; when it is switched on again it has a new one. */
  async setLink(instance: string, link: Link): Promise<void> {
    const first = this.firstProcess(instance);
    if (first === null) throw new Error(`instance ${instance} is off`);
    await this.network.setLink(instance, join(this.machines, instance), first, link);
  }

  /** IDs of the instances whose system's check is said to be impaired; they run on all the same. */
  get impaired(): Set<string> {
    return this.proxy.impaired;
  }

  /** Instances that have a disk. */
  disks(): string[] {
    return readdirSync(this.machines).filter((id) => existsSync(join(this.machines, id, 'disk')));
  }

  /** Cuts the power of all instances, and takes their disks. */
  async clear(): Promise<void> {
    await this.proxy.clear();
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.network.remove();
    await this.moto.stop();
    await reaped(this.reaper);
  }
}

/** Of the very range of the instances' network, as all VPCs of moto's own have the same. */
async function makeVpc(endpoint: string, cidr: string): Promise<string> {
  const console = consoleAt(endpoint);
  try {
    const { Vpc } = await console.send(new CreateVpcCommand({ CidrBlock: cidr }));
    const VpcId = Vpc?.VpcId ?? '';
    const first = numberOf(cidr.split('/')[0] ?? '');
    for (const [n, zone] of ['a', 'b', 'c'].entries()) {
      const CidrBlock = `${addressOf(first + n * SUBNET.size)}/${SUBNET.length}`;
      await console.send(new CreateSubnetCommand({ VpcId, CidrBlock, AvailabilityZone: `${REGION}${zone}` }));
    }
    return VpcId;
  } finally {
    console.destroy();
  }
}

/** By hand, as nothing of ours calls IAM. */
async function makeProfile(endpoint: string): Promise<void> {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=test/${day}/us-east-1/iam/aws4_request, SignedHeaders=, Signature=`,
    },
    body: new URLSearchParams({ Action: 'CreateInstanceProfile', Version: '2010-05-08', InstanceProfileName: PROFILE }),
  });
  if (!answer.ok) throw new Error(`moto's CreateInstanceProfile answered ${answer.status}: ${await answer.text()}`);
}
