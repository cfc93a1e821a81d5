import { randomUUID } from 'node:crypto';
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteTagsCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeSecurityGroupsCommand,
  DescribeVolumesCommand,
  type EC2Client,
  ModifyNetworkInterfaceAttributeCommand,
} from '@aws-sdk/client-ec2';
import {
  GetBucketEncryptionCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Fallback } from '../../src/client/fallback.js';
import type { StartRequest } from '../../src/cloud/cloud.js';
import { bucketName } from '../../src/cloud/ec2/bucket.js';
import { Ec2Cloud, type Renderer } from '../../src/cloud/ec2/ec2-cloud.js';
import { PublishedObject } from '../../src/cloud/ec2/published.js';
import { rulesFrom, waysIn } from '../../src/cloud/ec2/rules.js';
import { tagOf } from '../../src/cloud/ec2/tags.js';
import { s3ObjectAt, s3Url } from '../../src/cloud/s3-url.js';
import type { AddressSet } from '../../src/store/record.js';
import { bucketContract } from '../contract/bucket-contract.js';
import { cloudContract } from '../contract/cloud-contract.js';
import { cloudAt, consoleAt, KEYS, withVariables } from '../support/ec2.js';
import { Moto } from '../support/moto.js';

let moto: Moto;

beforeAll(async () => {
  moto = await Moto.start();
}, 600_000);

afterAll(async () => {
  await moto?.stop();
});

cloudContract('EC2', async () => {
  await moto.reset();
  const cloud = cloudAt(moto.endpoint);
  // What moto prints on every console.
  return { cloud, userData: '#!/bin/sh\n', console: /Linux version/, close: async () => cloud.amazon.destroy() };
});

bucketContract('S3', async () => {
  await moto.reset();
  const cloud = cloudAt(moto.endpoint);
  return {
    bucket: cloud.bucket,
    read: async (url) => {
      // Nobody without credentials is told anything.
      expect((await fetch(url)).status).toBe(403);
      const read = await readPublished(url);
      return read === 'not-modified' ? '' : read.text;
    },
    litter: async (environment, name, text) => {
      await cloud.bucket.put(environment, 'first.json', { version: 1 });
      await cloud.bucket.remove(environment, 'first.json');
      await cloud.amazon.s3.send(new PutObjectCommand({ Bucket: bucketName(environment), Key: name, Body: text }));
    },
    close: async () => cloud.amazon.destroy(),
  };
});

/** As an agent reads it, by its URL alone and whatever credentials the process has. */
async function readPublished(url: string, known: string | null = null) {
  const object = s3ObjectAt(new URL(url));
  if (object === null) throw new Error(`${url} is no object of S3's`);
  return await withKeys(() => new PublishedObject(object, 5_000).read(known, 1_000_000));
}

const withKeys = <T>(work: () => Promise<T>): Promise<T> => withVariables(KEYS, work);

test('the published addresses by their URL: read once, told when they are the same still, and why they cannot be read', async () => {
  await moto.reset();
  const cloud = cloudAt(moto.endpoint);
  const environment = randomUUID();
  const url = cloud.bucket.url(environment, 'addresses.json');
  try {
    await withKeys(async () => {
      expect(await new Fallback(url).read()).toEqual({ failed: 'none yet' });
      const set: AddressSet = {
        version: 1,
        servers: [{ machine: '0', api: '10.0.0.1:17070', mongo: '10.0.0.1:37017' }],
      };
      await cloud.bucket.put(environment, 'addresses.json', set);
      expect(await new Fallback(url).read()).toEqual({ set });
    });
    const first = await readPublished(url);
    if (first === 'not-modified') throw new Error('nothing was known of it');
    expect(await readPublished(url, first.etag)).toBe('not-modified');
    await cloud.bucket.put(environment, 'addresses.json', { version: 2 });
    expect(await readPublished(url, first.etag)).toMatchObject({ text: expect.stringContaining('"version":2') });
  } finally {
    cloud.amazon.destroy();
  }
  // Where nobody listens any more.
  await withKeys(async () => {
    const gone = s3Url({ region: 'eu-west-1', endpoint: 'http://127.0.0.1:9', bucket: 'quorate-1', key: 'a' });
    expect(await new Fallback(gone).read()).toEqual({ failed: expect.stringMatching(/ECONNREFUSED/) });
  });
});

describe('EC2', () => {
  let cloud: Ec2Cloud;
  let console: EC2Client;
  let environment: string;

  beforeEach(async () => {
    await moto.reset();
    cloud = cloudAt(moto.endpoint, { pageSize: 5 });
    console = consoleAt(moto.endpoint);
    environment = randomUUID();
  });

  afterEach(() => {
    cloud.amazon.destroy();
    console.destroy();
  });

  async function start(machine: string, more: Partial<StartRequest> = {}, into = environment) {
    const [zone = ''] = await cloud.zones();
    const tags = { environment: into, machine, nonce: randomUUID() };
    return await cloud.start({ tags, userData: 'hello', zone, ...more });
  }

  async function seen(id: string) {
    const { Reservations = [] } = await console.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    const [instance] = Reservations.flatMap(({ Instances = [] }) => Instances);
    if (instance === undefined) return expect.unreachable(`${id} is not there`);
    return instance;
  }

  async function groupOf(id: string) {
    const { SecurityGroups = [] } = await console.send(new DescribeSecurityGroupsCommand({}));
    const group = SecurityGroups.find(({ Tags }) => tagOf(Tags, 'instance') === id);
    if (group?.GroupId === undefined) return expect.unreachable(`${id} has no group of open ports`);
    return group.GroupId;
  }

  const rule = (port: number, ...cidrs: string[]) => ({ protocol: 'tcp' as const, from: port, to: port, cidrs });

  test('an instance is as it was asked for: type, zone, metadata, disk, tags, and two addresses', async () => {
    const zones = await cloud.zones();
    const instance = await start('7', { instanceType: 't4g.medium', zone: zones[1] ?? '' });
    const {
      InstanceType,
      MetadataOptions,
      Placement,
      BlockDeviceMappings = [],
      Architecture,
    } = await seen(instance.id);
    expect({ InstanceType, Architecture }).toEqual({ InstanceType: 't4g.medium', Architecture: 'arm64' });
    expect(Placement?.AvailabilityZone).toBe(zones[1]);
    expect(MetadataOptions).toMatchObject({ HttpTokens: 'required', HttpEndpoint: 'enabled' });
    const { Volumes = [] } = await console.send(
      new DescribeVolumesCommand({ VolumeIds: BlockDeviceMappings.flatMap(({ Ebs }) => Ebs?.VolumeId ?? []) }),
    );
    expect(Volumes).toHaveLength(1);
    expect(Volumes[0]).toMatchObject({ VolumeType: 'gp3', Encrypted: true, Size: 16 });
    expect(tagOf(Volumes[0]?.Tags, 'environment')).toBe(environment);
    expect(instance.publicAddress).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(instance.publicAddress).not.toBe(instance.address);
  });

  test('it is given what boots it on its architecture, the same when it is started again', async () => {
    const bootOf: Renderer = ({ tags, userData }, architecture) =>
      `#cloud-boothook\n# ${tags.machine} ${architecture}\n${userData}`;
    const [zone = ''] = await cloud.zones();
    const rendering = new Ec2Cloud(cloud.amazon, cloud.settings, bootOf);
    const request = { tags: { environment, machine: '7', nonce: randomUUID() }, userData: '{"token":"x"}', zone };
    const { id } = await rendering.start({ ...request, instanceType: 't4g.medium' });
    const { UserData } = await console.send(
      new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: 'userData' }),
    );
    expect(Buffer.from(UserData?.Value ?? '', 'base64').toString()).toBe('#cloud-boothook\n# 7 arm64\n{"token":"x"}');
    expect((await rendering.start({ ...request, instanceType: 't4g.medium' })).id).toBe(id);
  });

  test('without a type it is the smallest that is offered; one that is not there starts nothing', async () => {
    expect((await start('0')).type).toBe('t3.small');
    const types = await cloud.instanceTypes();
    expect(types.map(({ name }) => name)).toContain('t4g.small');
    expect(types.every(({ cores, memMiB, diskGiB }) => cores >= 2 && memMiB >= 2048 && diskGiB === 16)).toBe(true);
    await expect(start('1', { instanceType: 't99.huge' })).rejects.toMatchObject({ code: 'unknown-instance-type' });
    await expect(start('2', { zone: 'eu-west-1z' })).rejects.toMatchObject({ code: 'unknown-zone' });
    expect((await cloud.list(environment)).map(({ tags }) => tags.machine)).toEqual(['0']);
  });

  test('machines are let in to from each other alone, but for the API', async () => {
    const { groups } = await start('0');
    expect((await start('1')).groups).toEqual(groups);
    const { SecurityGroups = [] } = await console.send(new DescribeSecurityGroupsCommand({ GroupIds: [...groups] }));
    const rules = rulesFrom(waysIn(SecurityGroups[0]?.IpPermissions ?? []));
    expect(rules).toEqual([rule(17070, '0.0.0.0/0', '::/0', groups[0] ?? ''), rule(37017, groups[0] ?? '')]);
  });

  test('more instances than a page has are all listed, and none of another environment', async () => {
    const other = randomUUID();
    for (let machine = 0; machine < 7; machine += 1) await start(String(machine));
    await start('0', {}, other);
    expect((await cloud.list(environment)).map(({ tags }) => tags.machine).sort()).toEqual([
      '0',
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
    ]);
    expect(await cloud.list(other)).toHaveLength(1);
  });

  test('what is left of an environment is removed with it, twice, and nothing of another one', async () => {
    const other = randomUUID();
    await start('0', {}, other);
    await cloud.bucket.put(other, 'addresses.json', { version: 1 });
    const { id } = await start('0');
    await start('1');
    await cloud.firewall.set({ instance: id, version: 1, rules: [rule(80, '0.0.0.0/0')] });
    for (let version = 1; version <= 7; version += 1)
      await cloud.bucket.put(environment, 'addresses.json', { version });
    await cloud.removeEnvironment(environment);
    await cloud.removeEnvironment(environment);
    expect((await cloud.list(environment)).every(({ state }) => state === 'terminated')).toBe(true);
    expect(await cloud.bucket.exists(environment)).toBe(false);
    const { SecurityGroups = [] } = await console.send(new DescribeSecurityGroupsCommand({}));
    expect(new Set(SecurityGroups.map(({ Tags }) => tagOf(Tags, 'environment')))).toEqual(new Set(['', other]));
    expect((await cloud.list(other)).map(({ state }) => state)).toEqual(['running']);
    expect((await cloud.bucket.list(other)).map(({ name }) => name)).toEqual(['addresses.json']);
  });

  test('the bucket is closed, versioned and encrypted, and nobody else’s', async () => {
    await cloud.bucket.put(environment, 'addresses.json', { version: 1 });
    const Bucket = bucketName(environment);
    const { s3 } = cloud.amazon;
    // Not among the calls that the product makes.
    for (const name of ['known', 'budget']) s3.middlewareStack.remove(name);
    expect((await s3.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    });
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled');
    const { ServerSideEncryptionConfiguration } = await s3.send(new GetBucketEncryptionCommand({ Bucket }));
    expect(ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm).toBe(
      'AES256',
    );
  });

  test('what is opened and closed by hand is seen, and the next set puts it right', async () => {
    const { id } = await start('0');
    const rules = [rule(80, '0.0.0.0/0', '::/0'), { ...rule(53, '10.0.0.0/8'), protocol: 'udp' as const }];
    await cloud.firewall.set({ instance: id, version: 1, rules });
    expect(await cloud.firewall.open(environment)).toEqual([{ instance: id, version: 1, rules }]);
    const GroupId = await groupOf(id);
    const by = (IpProtocol: string, port: number) => ({
      GroupId,
      IpPermissions: [{ IpProtocol, FromPort: port, ToPort: port, IpRanges: [{ CidrIp: '192.0.2.0/24' }] }],
    });
    await console.send(new AuthorizeSecurityGroupIngressCommand(by('tcp', 22)));
    await console.send(new AuthorizeSecurityGroupIngressCommand(by('icmp', -1)));
    expect((await cloud.firewall.open(environment))[0]?.rules).toEqual([rule(22, '192.0.2.0/24'), ...rules]);
    await cloud.firewall.set({ instance: id, version: 2, rules });
    expect(await cloud.firewall.open(environment)).toEqual([{ instance: id, version: 2, rules }]);
    const { SecurityGroups = [] } = await console.send(new DescribeSecurityGroupsCommand({ GroupIds: [GroupId] }));
    expect(SecurityGroups[0]?.IpPermissions?.some(({ IpProtocol }) => IpProtocol === 'icmp')).toBe(false);
  });

  test('a group that was taken off its instance opens nothing, until it is set again', async () => {
    const { id, groups, networkInterface } = await start('0');
    await cloud.firewall.set({ instance: id, version: 1, rules: [rule(80, '0.0.0.0/0')] });
    await console.send(
      new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId: networkInterface, Groups: [...groups] }),
    );
    expect(await cloud.firewall.open(environment)).toEqual([]);
    await cloud.firewall.set({ instance: id, version: 2, rules: [rule(80, '0.0.0.0/0')] });
    expect(await cloud.firewall.open(environment)).toMatchObject([{ instance: id, version: 2 }]);
  });

  test('an instance that is not ours is nobody’s to stop', async () => {
    const { id } = await start('0');
    await console.send(new DeleteTagsCommand({ Resources: [id], Tags: [{ Key: 'quorate:environment' }] }));
    expect(await cloud.describe(id)).toBeNull();
    await expect(cloud.terminate(id)).rejects.toMatchObject({ code: 'unknown-instance' });
    expect((await seen(id)).State?.Name).toBe('running');
  });

  test('images are found by name for both architectures, and by ID', async () => {
    const arm = await cloud.imageFor('arm64');
    const amd = await cloud.imageFor('x86_64');
    expect([arm.name, amd.name]).toEqual([
      expect.stringMatching(/^al2023.*arm64$/),
      expect.stringMatching(/^al2023.*x86_64$/),
    ]);
    const named = cloudAt(moto.endpoint, {}, { image: amd.id });
    expect((await named.imageFor('x86_64')).id).toBe(amd.id);
    await expect(named.imageFor('arm64')).rejects.toMatchObject({ code: 'no-image' });
    const gone = cloudAt(moto.endpoint, {}, { image: 'ami-0123456789abcdef0' });
    await expect(gone.imageFor('x86_64')).rejects.toMatchObject({ code: 'no-image' });
  });

  test('a VPC that is named by its Name or ID is used, with one subnet of each zone', async () => {
    const { Vpc } = await console.send(
      new CreateVpcCommand({
        CidrBlock: '10.9.0.0/16',
        TagSpecifications: [{ ResourceType: 'vpc', Tags: [{ Key: 'Name', Value: 'own' }] }],
      }),
    );
    const VpcId = Vpc?.VpcId ?? '';
    for (const [n, zone] of ['b', 'b', 'a'].entries()) {
      const CidrBlock = `10.9.${n}.0/24`;
      await console.send(new CreateSubnetCommand({ VpcId, CidrBlock, AvailabilityZone: `eu-west-1${zone}` }));
    }
    for (const vpc of ['own', VpcId]) {
      const own = cloudAt(moto.endpoint, {}, { vpc });
      expect(await own.zones()).toEqual(['eu-west-1a', 'eu-west-1b']);
      const tags = { environment, machine: vpc, nonce: randomUUID() };
      const instance = await own.start({ tags, userData: '', zone: 'eu-west-1b' });
      expect(instance).toMatchObject({ vpc: VpcId, zone: 'eu-west-1b', address: expect.stringMatching(/^10\.9\./) });
    }
    await expect(cloudAt(moto.endpoint, {}, { vpc: 'none' }).zones()).rejects.toMatchObject({ code: 'no-vpc' });
    await expect(cloudAt(moto.endpoint, {}, { vpc: 'vpc-0123456789abcdef0' }).zones()).rejects.toMatchObject({
      code: 'no-vpc',
    });
  });
});

/** What docs/ec2.md tells: calls of a process that remembers nothing, and of one that has done the same before. */
test('what it costs in calls', async () => {
  await moto.reset();
  const environment = randomUUID();
  const request = (machine: string) => ({
    tags: { environment, machine, nonce: randomUUID() },
    userData: '',
    zone: 'eu-west-1a',
  });
  const first = cloudAt(moto.endpoint);
  await first.start(request('0'));
  await first.bucket.put(environment, 'addresses.json', { version: 1 });

  const cloud = cloudAt(moto.endpoint);
  const spent = () => Object.values(cloud.amazon.budget.counts()).reduce((sum, count) => sum + count, 0);
  const costs = async (work: () => Promise<unknown>) => {
    const before = spent();
    await work();
    return spent() - before;
  };
  const moreControllers = await costs(async () => {
    await cloud.start(request('1'));
    await cloud.start(request('2'));
    await cloud.list(environment);
    await cloud.bucket.put(environment, 'addresses.json', { version: 2 });
  });
  expect(cloud.amazon.budget.counts()).toEqual({
    DescribeAvailabilityZones: 1,
    DescribeImages: 1,
    DescribeInstances: 5,
    DescribeInstanceTypes: 1,
    DescribeSecurityGroups: 2,
    DescribeSubnets: 1,
    DescribeVpcs: 1,
    GetCallerIdentity: 1,
    GetObject: 1,
    GetParameter: 1,
    PutObject: 1,
    RunInstances: 2,
  });
  expect(moreControllers).toBe(18);
  const { id } = await cloud.start(request('3'));
  const rule = (port: number) => ({ protocol: 'tcp' as const, from: port, to: port, cidrs: ['0.0.0.0/0'] });
  expect({
    start: await costs(() => cloud.start(request('4'))),
    list: await costs(() => cloud.list(environment)),
    health: await costs(() => cloud.health([id])),
    nothingOpen: await costs(() => cloud.firewall.open(environment)),
    openFirst: await costs(() => cloud.firewall.set({ instance: id, version: 1, rules: [rule(80)] })),
    openMore: await costs(() => cloud.firewall.set({ instance: id, version: 2, rules: [rule(80), rule(81)] })),
    open: await costs(() => cloud.firewall.open(environment)),
    publish: await costs(() => cloud.bucket.put(environment, 'addresses.json', { version: 3 })),
    stop: await costs(() => cloud.stop(id)),
    startAgain: await costs(() => cloud.startAgain(id)),
    terminate: await costs(() => cloud.terminate(id)),
  }).toEqual({
    start: 4,
    list: 1,
    health: 1,
    nothingOpen: 1,
    openFirst: 8,
    openMore: 5,
    open: 2,
    publish: 2,
    stop: 3,
    startAgain: 3,
    terminate: 5,
  });
});
