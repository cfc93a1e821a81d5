import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CloudSettings } from '../cloud.js';
import { openCloud } from '../open.js';
import { identities } from './credentials.js';
import { openEc2Cloud, rendererOf } from './open.js';
import { DEFAULTS } from './settings.js';

test('one region and one set of settings is one cloud, with one budget', () => {
  const cloud = openEc2Cloud('eu-west-1', DEFAULTS);
  expect(openEc2Cloud('eu-west-1', { ...DEFAULTS })).toBe(cloud);
  expect(openEc2Cloud('eu-west-1', { ...DEFAULTS, vpc: 'own' })).not.toBe(cloud);
  expect(openEc2Cloud('eu-north-1', DEFAULTS)).not.toBe(cloud);
  expect(cloud.kind).toBe('ec2');
});

test('it is the cloud of an environment as it was bootstrapped, whatever this shell says', async () => {
  const of = (region: string, cloudSettings?: CloudSettings) =>
    openCloud({ cloud: 'ec2', region, ...(cloudSettings && { cloudSettings }) }, { localCloud: '/nowhere' });
  process.env.QUORATE_EC2_VPC = 'of-this-shell';
  try {
    expect(await of('eu-west-1')).toBe(openEc2Cloud('eu-west-1', DEFAULTS));
    expect(await of('eu-west-1', { vpc: 'own' })).toBe(openEc2Cloud('eu-west-1', { ...DEFAULTS, vpc: 'own' }));
    expect(await of('eu-north-1')).toBe(openEc2Cloud('eu-north-1', DEFAULTS));
    await expect(of('')).rejects.toMatchObject({ code: 'bad-region' });
  } finally {
    delete process.env.QUORATE_EC2_VPC;
  }
});

test('an endpoint that was kept is where all is asked and where objects are read', async () => {
  const endpoints = { all: 'http://own:5000/', S3: 'http://own:9000' };
  const { amazon, bucket } = openEc2Cloud('eu-west-1', { ...DEFAULTS, endpoints });
  expect(await amazon.ec2.config.endpoint?.()).toMatchObject({ hostname: 'own', port: 5000 });
  expect(await amazon.s3.config.endpoint?.()).toMatchObject({ hostname: 'own', port: 9000 });
  expect(bucket.url('uuid', 'addresses.json')).toBe('http://own:9000/quorate-uuid/addresses.json#s3=eu-west-1');
});

test('what an instance boots with is made of the sources that were kept, and of nothing else', async () => {
  const part = (name: string) => ({
    x86_64: { url: `https://a/${name}`, sha256: 'ab'.repeat(32), access: 'role' as const },
  });
  const sources = {
    version: '0.1.0',
    region: 'eu-west-1',
    node: part('node'),
    mongod: part('mongod'),
    agent: part('agent'),
  };
  expect(rendererOf(DEFAULTS)).toThrow(expect.objectContaining({ code: 'no-source' }));
  const request = { tags: { environment: 'e', machine: '0', nonce: 'n' }, userData: '{"machine":"0"}', zone: 'a' };
  const render = rendererOf({ ...DEFAULTS, sources });
  const text = render(request, 'x86_64');
  expect(text).toContain(`\nmongod x86_64 role ${'ab'.repeat(32)} https://a/mongod\n`);
  expect(rendererOf(JSON.parse(JSON.stringify({ ...DEFAULTS, sources })))(request, 'x86_64')).toBe(text);
  expect(() => render(request, 'arm64')).toThrow(expect.objectContaining({ code: 'no-source' }));
});

test('what cannot be meant is refused before anything is asked of anybody', () => {
  expect(() => openEc2Cloud('mars', DEFAULTS)).toThrow(expect.objectContaining({ code: 'bad-region', exit: 2 }));
});

test('where an object lies is known by its environment: at Amazon’s, in the region', () => {
  const { bucket } = openEc2Cloud('eu-west-1', DEFAULTS);
  expect(bucket.url('uuid', 'addresses.json')).toBe(
    'https://quorate-uuid.s3.eu-west-1.amazonaws.com/addresses.json#s3=eu-west-1',
  );
});

test('its calls are those of the list alone', async () => {
  const { amazon } = openEc2Cloud('eu-west-1', DEFAULTS);
  const { CreateVpcCommand } = await import('@aws-sdk/client-ec2');
  await expect(amazon.ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }))).rejects.toThrow(
    'CreateVpc is called and not among CALLS',
  );
});

let home: string;
const KEPT = ['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE', 'AWS_PROFILE', 'AWS_ACCESS_KEY_ID'] as const;
const before = Object.fromEntries(KEPT.map((name) => [name, process.env[name]]));

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'quorate-aws-'));
  for (const name of KEPT) delete process.env[name];
  process.env.AWS_SHARED_CREDENTIALS_FILE = join(home, 'credentials');
  process.env.AWS_CONFIG_FILE = join(home, 'config');
});

afterEach(async () => {
  for (const name of KEPT) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  await rm(home, { recursive: true, force: true });
});

test('a profile’s keys are read once, and anew when they are to be', async () => {
  const write = async (key: string) =>
    await writeFile(
      join(home, 'credentials'),
      `[prod]\naws_access_key_id = ${key}\naws_secret_access_key = secret\naws_session_token = token\n`,
    );
  process.env.AWS_PROFILE = 'prod';
  await write('OLD');
  const { provide, renew } = identities();
  expect((await provide()).accessKeyId).toBe('OLD');
  await write('NEW');
  expect((await provide()).accessKeyId).toBe('OLD');
  renew();
  expect((await provide()).accessKeyId).toBe('NEW');
});
