import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateVolumeCommand,
  DeleteSubnetCommand,
  DeleteVpcCommand,
  DescribeInstancesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
} from '@aws-sdk/client-ec2';
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { createAuthority, issueWithKey } from '../../src/pki/authority.js';
import { openStore } from '../../src/store/store.js';
import { cloudAt, consoleAt, REGION } from '../support/ec2.js';
import { Ec2Operator } from '../support/ec2-operator.js';
import { FaultyMoto } from '../support/faulty-moto.js';

let faulty: FaultyMoto;
let operator: Ec2Operator;
let other: Server | null = null;

beforeAll(async () => {
  faulty = await FaultyMoto.start(1_000);
}, 600_000);
afterAll(() => faulty?.stop());

beforeEach(async () => {
  await faulty.reset();
  operator = new Ec2Operator(faulty.proxy.endpoint);
  // The store is there, with nothing in it.
  await openStore(operator.home.env);
});

afterEach(async () => {
  await operator.close();
  other?.closeAllConnections();
  await new Promise((resolve) => (other === null ? resolve(null) : other.close(resolve)));
  other = null;
});

/** Runs a command that must change nothing: not the store, not Amazon, and no process is left. */
async function changesNothing(words: string, env: NodeJS.ProcessEnv = {}) {
  const before = operator.files();
  const run = await operator.run(words, env);
  expect(operator.files()).toEqual(before);
  expect(operator.home.processes()).toEqual([]);
  const { endpoint } = faulty.moto;
  const { Reservations } = await consoleAt(endpoint).send(new DescribeInstancesCommand({}));
  expect(Reservations).toEqual([]);
  const { SecurityGroups = [] } = await consoleAt(endpoint).send(new DescribeSecurityGroupsCommand({}));
  expect(SecurityGroups.filter(({ GroupName }) => GroupName !== 'default')).toEqual([]);
  const { Buckets } = await bucketsAt(endpoint).send(new ListBucketsCommand({}));
  expect(Buckets ?? []).toEqual([]);
  return run;
}

/** Somebody at S3's console. */
const bucketsAt = (endpoint: string) =>
  new S3Client({
    region: REGION,
    endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
  });

describe('quorate bootstrap ec2/REGION', () => {
  /** Found before anybody is asked. */
  test.each<[what: string, words: string, env: NodeJS.ProcessEnv, sentence: RegExp]>([
    ['no region', 'bootstrap ec2 prod', {}, /EC2 needs a region\.\nThey are written as eu-west-1/],
    ['no such region', 'bootstrap ec2/mars prod', {}, /'mars' is no region of Amazon/],
    ['more than a region', 'bootstrap ec2/eu-west-1/x prod', {}, /'eu-west-1\/x' is no region of Amazon/],
    [
      'a bad region and a loopback Temporal',
      'bootstrap ec2/mars prod',
      { TEMPORAL_ADDRESS: 'localhost:7233' },
      /'mars' is no region/,
    ],
    [
      'the embedded Temporal',
      'bootstrap ec2/eu-west-1 prod',
      { TEMPORAL_ADDRESS: undefined },
      /embedded one, which listens at 127\.0\.0\.1: no instance of EC2 could reach it\.\n.*TEMPORAL_ADDRESS.*--allow-loopback-temporal/,
    ],
    [
      'a Temporal at a loopback address',
      'bootstrap ec2/eu-west-1 prod',
      { TEMPORAL_ADDRESS: '[::1]:7233' },
      /Temporal is configured to be at \[::1\]:7233, which leads each instance of EC2 to itself\.\n/,
    ],
    ['a cloud that is nearly one', 'bootstrap ec3/eu-west-1 prod', {}, /no cloud 'ec3' \(did you mean ec2\?\)/],
    ['an image of no name', 'bootstrap ec2/eu-west-1 prod', { QUORATE_EC2_IMAGE: 'windows' }, /no image 'windows'/],
    ['a disk of no size', 'bootstrap ec2/eu-west-1 prod', { QUORATE_EC2_DISK_GIB: 'big' }, /QUORATE_EC2_DISK_GIB/],
  ])('%s is refused at once', async (_, words, env, sentence) => {
    const { code, stdout, stderr } = await changesNothing(words, env);
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
    expect({ code, stdout, calls: faulty.proxy.calls }).toEqual({ code: 2, stdout: '', calls: [] });
  });

  test('a name that is taken is refused before Amazon is asked', async () => {
    await record('prod');
    const { code, stderr } = await changesNothing('bootstrap ec2/eu-west-1 prod');
    expect(stderr).toMatch(/there is an environment 'prod' already/);
    expect({ code, calls: faulty.proxy.calls }).toEqual({ code: 2, calls: [] });
  });

  /** Found by the check: all of it in one refusal. */
  async function refused(words: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
    const { code, stdout, stderr } = await changesNothing(words, env);
    expect(stderr).toMatch(/^quorate: what was asked for cannot be had on EC2.* yet; nothing was started:\n {2}- /);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    return stderr;
  }
  const lacksIn = (stderr: string) => stderr.split('\n').filter((line) => line.startsWith('  - ')).length;
  const BOOTSTRAP = 'bootstrap ec2/eu-west-1 prod -n 3';

  test('no credentials', async () => {
    const said = await refused(BOOTSTRAP, { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
    expect(said).toMatch(/There are no credentials for Amazon: .*AWS_PROFILE/);
    expect(lacksIn(said)).toBe(1);
  });

  test('a region that Amazon does not have: no such host, or an endpoint of one’s own that breaks on it', async () => {
    const nowhere = await refused(BOOTSTRAP, { AWS_ENDPOINT_URL: 'http://sts.eu-west-9.invalid' });
    expect(nowhere).toMatch(/no such place as GetCallerIdentity was sent to|could not be reached/);
    expect(lacksIn(nowhere)).toBe(1);
    const broken = await refused('bootstrap ec2/eu-west-9 prod -n 3');
    expect(broken).toMatch(/did not do DescribeVpcs, .* it answered HTTP 500 with something else\. It is tried again/);
    expect(broken.trim().split('\n')).toHaveLength(1 + lacksIn(broken));
  });

  test('no default VPC, an image that is not there and a type that is not: at once', async () => {
    const console = consoleAt(faulty.moto.endpoint);
    const { Subnets = [] } = await console.send(new DescribeSubnetsCommand({}));
    for (const { SubnetId } of Subnets) await console.send(new DeleteSubnetCommand({ SubnetId }));
    const { Vpcs = [] } = await console.send(new DescribeVpcsCommand({}));
    for (const { VpcId } of Vpcs) await console.send(new DeleteVpcCommand({ VpcId }));
    const said = await refused(BOOTSTRAP, { QUORATE_EC2_IMAGE: 'ami-0123456789abcdef0' });
    expect(said).toMatch(/ as arn:aws:sts::123456789012:/);
    expect(said).toMatch(/no default VPC\. Make it with aws ec2 create-default-vpc, or name another one/);
    expect(said).toMatch(/image/);
    expect(lacksIn(said)).toBe(2);
    const type = await refused(`${BOOTSTRAP} --constraints instance-type=t99.huge`);
    expect(type).toMatch(/no instance type t99\.huge/);
    expect(lacksIn(type)).toBe(2);
  });

  test('an image that this region does not have', async () => {
    expect(await refused(BOOTSTRAP, { QUORATE_EC2_IMAGE: 'debian-12' })).toMatch(
      /There is no image debian-12 for x86_64/,
    );
  });

  test.each<[what: string, constraints: string, sentence: RegExp]>([
    ['another family', 'instance-type=m5.large', /m5\.large is not among those that are offered: t3\.\* t4g\.\*/],
    ['too small', 'instance-type=t3.nano', /t3\.nano \(2 cores, 512M .* is too small: a controller needs/],
    ['no type so large', 'mem=9999G', /No instance type of the cloud meets mem=9999G\. Nearest comes t3\.2xlarge/],
    ['no such zone', 'zone=eu-west-1q', /no zone eu-west-1q\. It has: eu-west-1a, eu-west-1b, eu-west-1c/],
  ])('constraints that cannot be met: %s', async (_, constraints, sentence) => {
    const said = await refused(`${BOOTSTRAP} --constraints ${constraints}`);
    expect(said).toMatch(sentence);
    expect(lacksIn(said)).toBe(1);
  });

  test('a type that no zone offers', async () => {
    faulty.proxy.decide = (call) => (call === 'DescribeInstanceTypeOfferings' ? 'hidden' : null);
    expect(await refused(BOOTSTRAP)).toMatch(/t3\.small is offered in none of eu-west-1a, eu-west-1b, eu-west-1c/);
  });

  test('what the credentials may not do', async () => {
    faulty.proxy.decide = (call) =>
      call === 'RunInstances'
        ? { code: 'UnauthorizedOperation', message: 'not authorized to perform: ec2:RunInstances on x' }
        : null;
    expect(await refused(BOOTSTRAP)).toMatch(/may not do ec2:RunInstances\. .*quorate ec2 policy/);
  });

  test('an endpoint that is not EC2 at all, and one where nobody is', async () => {
    other = createServer((_asked, answer) => answer.writeHead(200).end('<!doctype html><title>hello</title>'));
    await new Promise<void>((resolve) => other?.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const page = await refused(BOOTSTRAP, { AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` });
    expect(page).toMatch(/is not Amazon’s API.*AWS_ENDPOINT_URL/);
    const nobody = await refused(BOOTSTRAP, { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' });
    expect(nobody).toMatch(/could not be reached/);
  });

  test('no archives that instances could read, without a role', async () => {
    const said = await refused(BOOTSTRAP, { QUORATE_EC2_AGENT: undefined });
    expect(said).toMatch(/no archive of Quorate’s package for instances that are x86_64: without an instance profile/);
    expect(said).toMatch(
      /QUORATE_EC2_AGENT='x86_64=URL#SHA256'; or give instances a role: QUORATE_EC2_INSTANCE_PROFILE/,
    );
    expect(lacksIn(said)).toBe(1);
  });
});

describe('quorate ec2 check', () => {
  test('shows what is there, for people and for programs', async () => {
    const people = await changesNothing('ec2 check eu-west-1');
    expect(people).toMatchObject({ code: 0, stderr: '' });
    expect(people.stdout).toMatch(/^EC2 in eu-west-1\n/);
    expect(people.stdout).toMatch(/credentials +arn:aws:sts::123456789012:/);
    expect(people.stdout).toMatch(/zones +eu-west-1a, eu-west-1b, eu-west-1c\n/);
    expect(people.stdout).toMatch(/instance type +t3\.small \(2 cores, 2G of memory, 16G of disk\)/);
    expect(people.stdout).toMatch(/Temporal +203\.0\.113\.7:7233/);
    expect(people.stdout).toMatch(/\nAll is well\.\n$/);
    const programs = await changesNothing('ec2 check eu-west-1 --format json');
    expect(JSON.parse(programs.stdout)).toMatchObject({
      region: 'eu-west-1',
      who: { account: '123456789012' },
      lacks: [],
      notes: [expect.stringMatching(/does not say how many instances/)],
    });
  });

  test('ends with 1 when something lacks, with all of it', async () => {
    const env = { QUORATE_EC2_IMAGE: 'debian-12', TEMPORAL_ADDRESS: undefined };
    const people = await changesNothing('ec2 check eu-west-1 --constraints mem=1T', env);
    expect(people).toMatchObject({ code: 1, stderr: '' });
    expect(people.stdout).toMatch(/instance type +No instance type of the cloud meets mem=1024G/);
    expect(people.stdout).toMatch(/Temporal +Temporal would be the embedded one/);
    const programs = await changesNothing('ec2 check eu-west-1 --format json', env);
    expect(programs.code).toBe(1);
    expect(JSON.parse(programs.stdout).lacks).toMatchObject([
      { look: 'image', code: 'no-image' },
      { look: 'Temporal', code: 'loopback-temporal' },
    ]);
  });

  test.each([
    ['ec2 polcy', /unknown command 'polcy' \(Did you mean policy\?\)/],
    ['ec2 check', /missing required argument 'region'/],
    ['ec2 check mars', /'mars' is no region/],
    ['ec2 check eu-west-1 -n 4', /4 controllers cannot be had/],
    ['ec2 check eu-west-1 --format jsno', /no format 'jsno'.*did you mean json/s],
    ['ec2 check eu-west-1 --constraints mem', /'mem' is no constraint/],
    ['ec2 policy --role a/b', /'a\/b' is invalid\. A role is named by letters/],
    ['ec2 policy --region mars', /'mars' is no region/],
    ['ec2 policy --account 1', /An account is a number of 12 digits/],
  ])('quorate %s is wrong usage', async (words, sentence) => {
    const { code, stdout, stderr } = await changesNothing(words);
    expect(stderr).toMatch(sentence);
    expect({ code, stdout, calls: faulty.proxy.calls }).toEqual({ code: 2, stdout: '', calls: [] });
  });
});

test('quorate ec2 policy prints the least policy, for everything or for one place, and asks nobody', async () => {
  const everywhere = JSON.parse((await changesNothing('ec2 policy')).stdout);
  expect(everywhere.Version).toBe('2012-10-17');
  expect(JSON.stringify(everywhere)).not.toContain('iam:PassRole');
  const { stdout } = await changesNothing('ec2 policy --role quorate --region eu-west-1 --account 123456789012');
  expect(JSON.parse(stdout).Statement).toContainEqual(
    expect.objectContaining({
      Action: ['iam:PassRole'],
      Resource: ['arn:aws:iam::123456789012:role/quorate'],
    }),
  );
  expect(stdout).toContain('arn:aws:ec2:eu-west-1:123456789012:instance/*');
  expect(faulty.proxy.calls).toEqual([]);
});

/** An environment in the store that nobody bootstrapped. @returns its UUID */
async function record(name: string): Promise<string> {
  const store = await openStore(operator.home.env);
  const uuid = `${name}-0000`;
  await store.writeEnvironment({
    name,
    uuid,
    cloud: 'ec2',
    region: 'eu-west-1',
    addresses: { version: 0, servers: [] },
    url: '',
    temporal: { address: '203.0.113.7:7233', namespace: 'default' },
    createdAt: new Date().toISOString(),
  });
  await store.setCurrent(name);
  return uuid;
}

describe('quorate cloud, of an environment on EC2', () => {
  test('lists, stops, starts and ends its instances, opens ports, and shows the console', async () => {
    const environment = await record('prod');
    const cloud = cloudAt(faulty.moto.endpoint);
    const started = await cloud.start({
      tags: { environment, machine: '0', nonce: 'n' },
      userData: 'hello',
      zone: 'eu-west-1b',
    });
    // Somebody else's is never shown.
    await cloud.start({
      tags: { environment: 'else', machine: '0', nonce: 'm' },
      userData: 'hello',
      zone: 'eu-west-1a',
    });
    const listed = async () => JSON.parse((await operator.run('cloud list --format json')).stdout);
    expect(await listed()).toMatchObject([{ id: started.id, zone: 'eu-west-1b', type: 't3.small' }]);
    const table = (await operator.run('cloud list')).stdout;
    expect(table).toMatch(/^MACHINE +INSTANCE +STATE +ADDRESS +PUBLIC +ZONE +TYPE +SINCE +BY\n/);
    expect(table.trim().split('\n')).toHaveLength(2);
    expect((await operator.run('cloud log 0')).stdout).toMatch(/Linux version/);
    expect((await operator.run('cloud ports 0 --open 80')).stdout).toMatch(/let in to machine 0 .*: 80/);

    const said = async (act: string) => (await operator.run(`cloud ${act} 0`)).stdout;
    expect(await said('stop')).toMatch(new RegExp(`machine 0 \\(${started.id}\\) is stopp(ing|ed)`));
    expect(await listed()).toMatchObject([{ cause: 'user' }]);
    expect(await said('start')).toMatch(/is (pending|running)/);
    expect(await said('terminate')).toMatch(/is terminated/);
    expect((await operator.run('cloud stop 0')).stderr).toMatch(/the instance of machine 0 is terminated/);
  });

  test.each([
    [
      'pause 0',
      /prod runs on ec2, and only the local cloud can freeze machines\.\nOn ec2 there are: quorate cloud list/,
    ],
    ['resume 0', /only the local cloud can freeze machines/],
    ['partition 0', /only the local cloud can cut links and heal them/],
    ['heal 0', /only the local cloud can cut links and heal them/],
    ['degrade 0 --delay 50ms', /only the local cloud can make links slow/],
    ['set-clock 0 +1h', /only the local cloud can set clocks/],
    ['limit-disk 0 512M', /only the local cloud can limit disks and fill them/],
    ['fill-disk 0', /only the local cloud can limit disks and fill them/],
    ['fill-zone b', /only the local cloud can say that zones are full/],
    [
      'recover-access 0',
      /only the local cloud .*\nOn any other cloud, as root on a controller: quorated recover-access/,
    ],
  ])('refuses %s in words, and asks Amazon nothing', async (words, sentence) => {
    await record('prod');
    const { code, stdout, stderr } = await changesNothing(`cloud ${words}`);
    expect(stderr).toMatch(sentence);
    expect({ code, stdout, calls: faulty.proxy.calls }).toEqual({ code: 2, stdout: '', calls: [] });
  });
});

test('quorate doctor asks EC2 for the instances of an environment whose controllers do not answer', async () => {
  const environment = await record('prod');
  const authority = await createAuthority(environment);
  const subject = { cn: 'ana', ou: 'operator', o: environment } as const;
  const store = await openStore(operator.home.env);
  await store.writeCredentials('prod', {
    ca: authority.certificate,
    ...(await issueWithKey(authority, { subject, days: 1 })),
  });
  const cloud = cloudAt(faulty.moto.endpoint);
  const tags = { environment, machine: '0', nonce: 'n' };
  const { id } = await cloud.start({ tags, userData: 'hello', zone: 'eu-west-1a' });
  await cloud.stop(id, { graceMs: 10_000 });
  // Nobody is at this Temporal; an address of nobody's would be dialled for seconds.
  const { code, stdout } = await operator.run('doctor -e prod --format json', { TEMPORAL_ADDRESS: '127.0.0.1:1' });
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toContainEqual(
    expect.objectContaining({
      where: 'prod',
      check: 'instances',
      seen: 'the cloud says: machine 0 stopped',
      todo: 'Have it run again: quorate cloud start 0 -e prod',
    }),
  );
});

test('quorate doctor finds what others left in a region, and removes it by name alone', async () => {
  const known = await record('prod');
  const [left, running] = [randomUUID(), randomUUID()];
  const cloud = cloudAt(faulty.moto.endpoint);
  const console = consoleAt(faulty.moto.endpoint);
  const start = (environment: string) =>
    cloud.start({ tags: { environment, machine: '0', nonce: 'n' }, userData: 'hello', zone: 'eu-west-1a' });
  const [own, other] = [await start(known), await start(running)];
  const TagSpecifications = [{ ResourceType: 'volume' as const, Tags: [{ Key: 'quorate:environment', Value: left }] }];
  const { VolumeId } = await console.send(
    new CreateVolumeCommand({ AvailabilityZone: 'eu-west-1a', Size: 8, TagSpecifications }),
  );
  await cloud.bucket.put(left, 'addresses.json', { version: 1 });
  // Somebody else's bucket, of a name that only begins as ours.
  await bucketsAt(faulty.moto.endpoint).send(
    new CreateBucketCommand({ Bucket: 'quorate-backups', CreateBucketConfiguration: { LocationConstraint: REGION } }),
  );
  const doctor = async (words: string) => {
    const { stdout } = await operator.run(`doctor --format json${words}`, { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    return (JSON.parse(stdout) as Finding[]).filter(({ check }) => check === 'ec2');
  };
  const found = await doctor('');
  const seenOf = (uuid: string) => found.filter(({ seen }) => seen.includes(uuid)).map(({ seen }) => seen);
  expect(found).toHaveLength(2);
  expect(seenOf(left)).toEqual([
    `${REGION}: environment ${left} is not known here, and there is of it: 1 volume ${VolumeId}; the bucket quorate-${left}`,
  ]);
  expect(seenOf(running)).toEqual([expect.stringContaining(`1 instance ${other.id} (machine 0, running)`)]);
  for (const { todo } of found) expect(todo).toMatch(/may be somebody else's/);

  const after = await doctor(` --fix --unknown ${left} --region ${REGION}`);
  expect(after.filter(({ fixed }) => fixed !== null)).toMatchObject([
    { fix: { kind: 'remove-unknown', uuid: left }, fixed: { done: true } },
  ]);
  expect((await doctor('')).map(({ seen }) => seen)).toEqual([expect.stringContaining(running)]);
  const states = [(await cloud.describe(own.id))?.state, (await cloud.describe(other.id))?.state];
  expect(states).toEqual(['running', 'running']);
  cloud.amazon.destroy();
});
