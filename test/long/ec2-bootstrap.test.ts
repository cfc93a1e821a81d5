import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import {
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeSecurityGroupsCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { GetObjectCommand, ListBucketsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../src/store/store.js';
import { consoleAt, REGION } from '../support/ec2.js';
import { Ec2Operator } from '../support/ec2-operator.js';
import { FaultyMoto } from '../support/faulty-moto.js';
import { until } from '../support/home.js';

/** moto's instances run nothing: what machine 0 is started with is seen here, and what is told of one that does not come up. */
let faulty: FaultyMoto;
let operator: Ec2Operator;

beforeAll(async () => {
  faulty = await FaultyMoto.start(1_000);
}, 1_800_000);
afterAll(() => faulty?.stop());

beforeEach(async () => {
  await faulty.reset();
  operator = new Ec2Operator(faulty.proxy.endpoint);
  // What is packed and put into the bucket is what runs here.
  for (const name of ['QUORATE_EC2_NODE', 'QUORATE_EC2_MONGOD', 'QUORATE_EC2_AGENT', 'TEMPORAL_ADDRESS']) {
    delete operator.home.env[name];
  }
  operator.home.env.QUORATE_EC2_INSTANCE_PROFILE = 'quorate';
  await makeProfile('quorate');
});

afterEach(async () => {
  await operator.run('engine stop');
  await operator.close();
});

/** As whoever sets the account up does it: the role comes with it. moto takes no signature. */
async function makeProfile(name: string): Promise<void> {
  const body = new URLSearchParams({
    Action: 'CreateInstanceProfile',
    InstanceProfileName: name,
    Version: '2010-05-08',
  });
  const authorization =
    'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=a, Signature=b';
  const answer = await fetch(faulty.moto.endpoint, { method: 'POST', headers: { authorization }, body });
  if (!answer.ok) throw new Error(`moto made no instance profile: ${answer.status} ${await answer.text()}`);
}

const console = () => consoleAt(faulty.moto.endpoint);
const buckets = () =>
  new S3Client({
    region: REGION,
    endpoint: faulty.moto.endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
  });

async function instances() {
  const { Reservations = [] } = await console().send(new DescribeInstancesCommand({}));
  return Reservations.flatMap(({ Instances = [] }) => Instances);
}

/** Nothing but what was there before is left on Amazon's side, and nothing in the store. */
async function expectNothing(): Promise<void> {
  expect((await instances()).filter(({ State }) => State?.Name !== 'terminated')).toEqual([]);
  const { SecurityGroups = [] } = await console().send(new DescribeSecurityGroupsCommand({}));
  expect(SecurityGroups.filter(({ GroupName }) => GroupName !== 'default')).toEqual([]);
  expect((await buckets().send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
  expect(await (await openStore(operator.home.env)).listEnvironments()).toEqual([]);
}

const saysOnConsole = (...lines: string[]) => {
  const output = Buffer.from(lines.join('\n')).toString('base64');
  faulty.proxy.decide = (call) =>
    call === 'GetConsoleOutput'
      ? {
          xml: `<GetConsoleOutputResponse><instanceId>i</instanceId><output>${output}</output></GetConsoleOutputResponse>`,
        }
      : null;
};

const BOOTSTRAP = ['bootstrap', 'ec2/eu-west-1', 'prod', '--allow-loopback-temporal'];

test('machine 0 is started with what it boots with, its boot is told of, and all of it is taken back', async () => {
  saysOnConsole(
    'quorate-boot: STEP begin: release 0.1.0-ab is laid out',
    'quorate-boot: FAILED mongod: https://bucket/mongod answered 404 NoSuchKey',
  );
  const { child, done } = operator.home.start(...BOOTSTRAP);
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const fault = 'The instance boots and cannot get mongod: https://bucket/mongod answered 404 NoSuchKey.';
  await until('the fault of the boot to be told', async () => said.includes(fault), 900);
  expect(said).toMatch(/wait until machine 0 answers/);

  // Kept with the environment: what this shell said, and where instances get what they run.
  const record = await (await openStore(operator.home.env)).readEnvironment('prod');
  if (record?.cloudSettings === undefined) throw new Error('the record keeps nothing of the cloud');
  const { sources, ...settings } = record.cloudSettings;
  expect(settings).toMatchObject({
    image: 'al2023',
    profile: 'quorate',
    endpoints: { all: faulty.proxy.endpoint },
  });
  expect(sources).toMatchObject({ region: 'eu-west-1', node: { x86_64: { access: 'role' } } });

  const [zero] = await instances();
  expect(zero?.IamInstanceProfile?.Arn).toMatch(/instance-profile\/quorate$/);
  const { UserData } = await console().send(
    new DescribeInstanceAttributeCommand({ InstanceId: zero?.InstanceId, Attribute: 'userData' }),
  );
  const text = Buffer.from(UserData?.Value ?? '', 'base64').toString();
  expect(text.startsWith('#cloud-boothook\n')).toBe(true);
  expect(JSON.parse(text.split('\n').find((line) => line.startsWith('{"quorate":1')) ?? '')).toMatchObject({
    environment: { name: 'prod', uuid: record?.uuid },
    machine: '0',
  });
  // Each source that it names lies in the bucket, and is what its SHA-256 says.
  const Bucket = `quorate-${record?.uuid}`;
  const { Contents = [] } = await buckets().send(new ListObjectsV2Command({ Bucket }));
  const keys = Contents.flatMap(({ Key }) => Key ?? []).filter((key) => key.startsWith('parts/'));
  expect(keys).toHaveLength(3);
  for (const [part, program] of [
    ['node', 'node/bin/node'],
    ['mongod', 'mongod/bin/mongod'],
    ['agent', 'quorate/LICENSE'],
  ] as const) {
    const [, sha256 = '', url = ''] = new RegExp(`^${part} x86_64 role ([0-9a-f]{64}) (\\S+)$`, 'm').exec(text) ?? [];
    const Key = keys.find((key) => url === `${faulty.proxy.endpoint}/${Bucket}/${key}`) ?? '';
    const { Body } = await buckets().send(new GetObjectCommand({ Bucket, Key }));
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    expect(gunzipSync(bytes).subarray(0, 100).toString()).toContain(program);
  }

  child.kill('SIGINT');
  expect((await done).stderr).toMatch(/Detached; the change goes on/);
  const destroyed = await operator.run('destroy-environment prod --yes');
  expect(destroyed.stdout).toMatch(/prod is gone; 1 instance terminated/);
  await expectNothing();
}, 1_800_000);

test('a bootstrap whose machine 0 ends has failed, and is taken back by itself', async () => {
  const { done } = operator.home.start(...BOOTSTRAP);
  await until('machine 0 to be started', async () => (await instances()).length === 1, 900);
  const [zero] = await instances();
  await console().send(new TerminateInstancesCommand({ InstanceIds: [zero?.InstanceId ?? ''] }));
  const { code, stderr } = await done;
  expect(stderr).toMatch(/The instance of machine 0 of prod has ended/);
  expect(stderr).toMatch(/What it had started was taken back/);
  expect(code).toBe(1);
  await expectNothing();
}, 1_800_000);
