import { expect, test } from 'vitest';
import { checkRegionName, DEFAULTS, keptSettings, settingsFrom } from './settings.js';

test('nothing said is the default', () => {
  expect(settingsFrom({})).toEqual(DEFAULTS);
});

test('what is said counts', () => {
  expect(
    settingsFrom({
      QUORATE_EC2_VPC: 'vpc-1',
      QUORATE_EC2_IMAGE: 'al2023',
      QUORATE_EC2_TYPES: 't3.*, m7g.large',
      QUORATE_EC2_DISK_GIB: '40',
      QUORATE_EC2_INSTANCE_PROFILE: 'quorate',
      QUORATE_EC2_API_FROM: '192.0.2.0/24',
      QUORATE_EC2_NODE: 'system:nodejs20',
      QUORATE_EC2_AGENT: `arm64=https://a/q.tar.gz#${'ab'.repeat(32)}`,
      AWS_ENDPOINT_URL: 'http://own:5000',
      AWS_ENDPOINT_URL_S3: 'http://own:9000',
    }),
  ).toEqual({
    vpc: 'vpc-1',
    image: 'al2023',
    types: ['t3.*', 'm7g.large'],
    diskGiB: 40,
    profile: 'quorate',
    apiFrom: ['192.0.2.0/24'],
    endpoints: { all: 'http://own:5000', S3: 'http://own:9000' },
    named: {
      node: { x86_64: { system: 'nodejs20' }, arm64: { system: 'nodejs20' } },
      agent: { arm64: { url: 'https://a/q.tar.gz', sha256: 'ab'.repeat(32), access: 'open' } },
    },
  });
});

test('what is kept with an environment is what opens it, and what was not kept is by default', () => {
  const said = settingsFrom({ QUORATE_EC2_VPC: 'vpc-1', QUORATE_EC2_NODE: 'system:nodejs20' });
  expect(keptSettings(JSON.parse(JSON.stringify(said)))).toEqual(said);
  expect(keptSettings({})).toEqual(DEFAULTS);
});

test('what cannot be meant is refused, and names what said it', () => {
  expect(() => settingsFrom({ QUORATE_EC2_DISK_GIB: '4' })).toThrow(/QUORATE_EC2_DISK_GIB is '4'/);
  expect(() => settingsFrom({ QUORATE_EC2_DISK_GIB: 'much' })).toThrow(/QUORATE_EC2_DISK_GIB is 'much'/);
  expect(() => settingsFrom({ QUORATE_EC2_TYPES: 't3.*;rm' })).toThrow(/QUORATE_EC2_TYPES names/);
  expect(() => settingsFrom({ QUORATE_EC2_IMAGE: 'windows' })).toThrow(
    expect.objectContaining({ code: 'unknown-image', exit: 2 }),
  );
  for (const agent of ['https://a/q', 'system:quorate', `x86_64=ftp://a#${'ab'.repeat(32)}`, 'x86_64=https://a/q#ab']) {
    expect(() => settingsFrom({ QUORATE_EC2_AGENT: agent })).toThrow(/QUORATE_EC2_AGENT names/);
  }
  expect(() => settingsFrom({ QUORATE_EC2_NODE: 'system:a;rm' })).toThrow(/no package of node/);
  expect(() => settingsFrom({ QUORATE_EC2_API_FROM: '10.0.0.1/8' })).toThrow(
    expect.objectContaining({ code: 'bad-cidr' }),
  );
});

test('a region is written as Amazon writes it', () => {
  for (const region of ['eu-west-1', 'us-gov-east-1', 'cn-north-1', 'ap-southeast-5', 'us-iso-east-1']) {
    expect(checkRegionName(region)).toBe(region);
  }
  for (const region of ['', 'mars', 'eu-west-1a', 'eu-west-1.evil.example/', 'EU-WEST-1']) {
    expect(() => checkRegionName(region)).toThrow(expect.objectContaining({ code: 'bad-region', exit: 2 }));
  }
});
