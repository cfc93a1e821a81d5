import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  DeleteSubnetCommand,
  DeleteVpcCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { namedSources } from '../../src/cloud/ec2/boot/named-sources.js';
import { readiness, refuseUnready } from '../../src/cloud/ec2/check.js';
import { openEc2Cloud } from '../../src/cloud/ec2/open.js';
import { DEFAULTS } from '../../src/cloud/ec2/settings.js';
import { cloudAt, consoleAt, KEYS, NAMED, withVariables } from '../support/ec2.js';
import { FaultyMoto } from '../support/faulty-moto.js';
import type { FaultyProxy } from '../support/faulty-proxy.js';
import type { Moto } from '../support/moto.js';

const INTENT = { controllers: 3, constraints: {}, toolchain: '/nowhere' };
let faulty: FaultyMoto;
let moto: Moto;
let proxy: FaultyProxy;
let other: Server | null = null;

beforeAll(async () => {
  faulty = await FaultyMoto.start(1_000);
  ({ moto, proxy } = faulty);
}, 600_000);
afterAll(() => faulty?.stop());
beforeEach(() => faulty.reset());

afterEach(async () => {
  other?.closeAllConnections();
  await new Promise((resolve) => (other === null ? resolve(null) : other.close(resolve)));
  other = null;
});

const codesOf = (sentences: readonly { message: string }[]) => sentences.map(({ message }) => message);

test('an account as it comes lacks nothing, and says what it could not see', async () => {
  const seen = await readiness(cloudAt(moto.endpoint), INTENT);
  expect(seen).toMatchObject({ who: { account: '123456789012' }, lacks: [] });
  expect(() => refuseUnready(seen)).not.toThrow();
  // moto knows no quotas of EC2.
  expect(seen.notes).toEqual([expect.stringMatching(/does not say how many instances/)]);
});

test('nothing is left of looking', async () => {
  const cloud = cloudAt(proxy.endpoint);
  await readiness(cloud, INTENT);
  expect(await cloud.list('check')).toEqual([]);
  const { SecurityGroups } = await consoleAt(moto.endpoint).send(new DescribeSecurityGroupsCommand({}));
  expect(SecurityGroups?.map(({ GroupName }) => GroupName)).toEqual(['default']);
});

test('all that lacks is said at once, each with what to do', async () => {
  proxy.decide = (call) => {
    const denied = (action: string) => ({
      code: 'UnauthorizedOperation',
      message: `is not authorized to perform: ${action} on x`,
    });
    if (call === 'RunInstances') return denied('ec2:RunInstances');
    if (call === 'CreateSecurityGroup') return denied('ec2:CreateTags');
    return null;
  };
  const seen = await readiness(cloudAt(proxy.endpoint), INTENT);
  expect(codesOf(seen.lacks).sort()).toEqual([
    'These credentials may not do ec2:CreateTags.',
    'These credentials may not do ec2:RunInstances.',
  ]);
  expect(() => refuseUnready(seen)).toThrow(
    expect.objectContaining({
      code: 'ec2-not-ready',
      exit: 2,
      message: expect.stringMatching(/as arn:aws:sts.*nothing was started:\n {2}- .*\n {2}- .*quorate ec2 policy/s),
    }),
  );
});

test('no default VPC, no such type and no such image are one answer', async () => {
  const console = consoleAt(moto.endpoint);
  const { Vpcs = [] } = await console.send(new DescribeVpcsCommand({}));
  const { Subnets = [] } = await console.send(new DescribeSubnetsCommand({}));
  for (const { SubnetId } of Subnets) await console.send(new DeleteSubnetCommand({ SubnetId }));
  for (const { VpcId } of Vpcs) await console.send(new DeleteVpcCommand({ VpcId }));
  const none = await readiness(cloudAt(moto.endpoint), { ...INTENT, constraints: { instanceType: 't99.huge' } });
  expect(codesOf(none.lacks).sort()).toEqual([
    'This region of Amazon’s has no instance type t99.huge.',
    'This region of the account has no default VPC.',
  ]);
  const image = await readiness(cloudAt(moto.endpoint, {}, { image: 'ami-0123456789abcdef0' }), INTENT);
  expect(codesOf(image.lacks).some((message) => /image/.test(message))).toBe(true);
});

test('one zone alone works, and is said to be no help against the loss of it', async () => {
  const console = consoleAt(moto.endpoint);
  const { Subnets = [] } = await console.send(new DescribeSubnetsCommand({}));
  for (const { SubnetId, AvailabilityZone } of Subnets) {
    if (AvailabilityZone !== 'eu-west-1a') await console.send(new DeleteSubnetCommand({ SubnetId }));
  }
  const { lacks, notes } = await readiness(cloudAt(moto.endpoint), INTENT);
  expect(lacks).toEqual([]);
  expect(notes).toContain('Only zone eu-west-1a is used: the loss of that zone takes all controllers.');
});

test('a type that no zone offers, and subnets in no zone of the region, are told', async () => {
  proxy.decide = (call) => (call === 'DescribeInstanceTypeOfferings' ? 'hidden' : null);
  const type = await readiness(cloudAt(proxy.endpoint), INTENT);
  expect(codesOf(type.lacks)).toEqual([
    'Instance type t3.small is offered in none of eu-west-1a, eu-west-1b, eu-west-1c.',
  ]);
  proxy.decide = (call) => (call === 'DescribeAvailabilityZones' ? 'hidden' : null);
  const zones = await readiness(cloudAt(proxy.endpoint), INTENT);
  expect(codesOf(zones.lacks)).toEqual([expect.stringMatching(/has no subnet in a zone of this region/)]);
});

test('a quota that does not suffice is told with what is used', async () => {
  // moto knows no quotas of EC2: Amazon's answer is written here.
  proxy.decide = (call) => (call === 'GetServiceQuota' ? { answers: { Quota: { Value: 5 } } } : null);
  const cloud = cloudAt(proxy.endpoint);
  await cloud.start({ tags: { environment: 'e', machine: '0', nonce: 'n' }, userData: '', zone: 'eu-west-1a' });
  const { lacks } = await readiness(cloud, INTENT);
  expect(codesOf(lacks)).toEqual([
    expect.stringMatching(
      /^3 controllers of type t3\.small need 6 vCPUs; the account may have 5 in this region and uses \d+\.$/,
    ),
  ]);
});

test.each([
  ['a page', 200, '<!doctype html><title>hello</title>'],
  ['a JSON', 200, '{"hello": true}'],
  ['nothing', 200, ''],
  ['not found', 404, 'nothing here'],
])('an endpoint that is not Amazon’s and answers with %s is told as one', async (_, status, text) => {
  other = createServer((_asked, answer) => answer.writeHead(status).end(text));
  await new Promise<void>((resolve) => other?.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const seen = await readiness(cloudAt(`http://127.0.0.1:${port}`), INTENT);
  expect(seen.who).toBeNull();
  expect(seen.lacks).toHaveLength(1);
  expect(seen.lacks[0]).toMatchObject({
    message: expect.stringMatching(/is not Amazon’s API/),
    todo: expect.stringMatching(/AWS_ENDPOINT_URL/),
  });
});

test('nobody at the endpoint, and no credentials at all, are the only things said', async () => {
  const nobody = await readiness(cloudAt('http://127.0.0.1:1'), INTENT);
  expect(codesOf(nobody.lacks)).toEqual([expect.stringMatching(/could not be reached/)]);
  const provide = async () => {
    throw Object.assign(new Error('Could not load credentials from any providers'), {
      name: 'CredentialsProviderError',
    });
  };
  const none = await readiness(cloudAt(moto.endpoint, { identities: { provide, renew: () => {} } }), INTENT);
  expect(none.lacks).toMatchObject([
    {
      code: 'no-credentials',
      message: expect.stringMatching(/no credentials for Amazon/),
      todo: expect.stringMatching(/AWS_PROFILE/),
    },
  ]);
});

test('the SDK’s own settings count: endpoint and keys', async () => {
  await withVariables({ ...KEYS, AWS_ENDPOINT_URL: moto.endpoint }, async () => {
    const cloud = openEc2Cloud('eu-west-1', {
      ...DEFAULTS,
      image: 'al2023',
      types: ['t3.*'],
      named: namedSources(NAMED),
    });
    const seen = await readiness(cloud, INTENT);
    expect(seen.lacks).toEqual([]);
    const environment = randomUUID();
    expect(await cloud.bucket.put(environment, 'addresses.json', { version: 1 })).toBe(true);
    expect(cloud.bucket.url(environment, 'a')).toBe(`${moto.endpoint}/quorate-${environment}/a#s3=eu-west-1`);
  });
});

test('an architecture that nothing can be had for is left out, and refused where it is asked for', async () => {
  const named = namedSources({ ...NAMED, QUORATE_EC2_MONGOD: NAMED.QUORATE_EC2_MONGOD.split(' ')[0] });
  // An image by its ID: nobody knows which of MongoDB's archives is for it.
  const { id } = await cloudAt(moto.endpoint).imageFor('x86_64');
  const cloud = cloudAt(moto.endpoint, {}, { named, image: id });
  const seen = await readiness(cloud, INTENT);
  expect(seen.lacks).toEqual([]);
  expect(seen.found).toContainEqual({
    look: 'programs',
    seen: 'x86_64: Node as QUORATE_EC2_NODE says, mongod as QUORATE_EC2_MONGOD says, Quorate as QUORATE_EC2_AGENT says',
  });
  const { lacks } = await readiness(cloud, { ...INTENT, constraints: { instanceType: 't4g.small' } });
  expect(lacks).toMatchObject([
    {
      look: 'instance type',
      code: 'no-source',
      message: expect.stringMatching(/^There is no mongod for instances that are arm64: .*without an instance profile/),
      todo: expect.stringMatching(/QUORATE_EC2_MONGOD='x86_64=URL#SHA256'.*QUORATE_EC2_INSTANCE_PROFILE/),
    },
  ]);
});
