import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openCloud } from '../open.js';
import { identities } from './credentials.js';
import { openEc2Cloud } from './open.js';

test('one region and one set of settings is one cloud, with one budget', () => {
  const cloud = openEc2Cloud('eu-west-1', {});
  expect(openEc2Cloud('eu-west-1', {})).toBe(cloud);
  expect(openEc2Cloud('eu-west-1', { QUORATE_EC2_VPC: 'own' })).not.toBe(cloud);
  expect(openEc2Cloud('eu-north-1', {})).not.toBe(cloud);
  expect(cloud.kind).toBe('ec2');
});

test('it is the cloud of an environment whose record says so', async () => {
  const of = (region: string) => openCloud({ cloud: 'ec2', region }, { localCloud: '/nowhere' });
  expect(await of('eu-west-1')).toBe(openEc2Cloud('eu-west-1'));
  expect(await of('eu-north-1')).toBe(openEc2Cloud('eu-north-1'));
  await expect(of('')).rejects.toMatchObject({ code: 'bad-region' });
});

test('what cannot be meant is refused before anything is asked of anybody', () => {
  expect(() => openEc2Cloud('mars', {})).toThrow(expect.objectContaining({ code: 'bad-region', exit: 2 }));
  expect(() => openEc2Cloud('eu-west-1', { QUORATE_EC2_IMAGE: 'windows' })).toThrow(
    expect.objectContaining({ code: 'unknown-image', exit: 2 }),
  );
});

test('where an object lies is known by its environment: at Amazon’s, in the region', () => {
  const { bucket } = openEc2Cloud('eu-west-1', {});
  expect(bucket.url('uuid', 'addresses.json')).toBe('https://quorate-uuid.s3.eu-west-1.amazonaws.com/addresses.json');
});

test('its calls are those of the list alone', async () => {
  const { amazon } = openEc2Cloud('eu-west-1', {});
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
