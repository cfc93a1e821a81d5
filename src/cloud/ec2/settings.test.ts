import { expect, test } from 'vitest';
import { checkRegionName, DEFAULTS, settingsFrom } from './settings.js';

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
    }),
  ).toEqual({
    vpc: 'vpc-1',
    image: 'al2023',
    types: ['t3.*', 'm7g.large'],
    diskGiB: 40,
    profile: 'quorate',
    apiFrom: ['192.0.2.0/24'],
  });
});

test('what cannot be meant is refused, and names what said it', () => {
  expect(() => settingsFrom({ QUORATE_EC2_DISK_GIB: '4' })).toThrow(/QUORATE_EC2_DISK_GIB is '4'/);
  expect(() => settingsFrom({ QUORATE_EC2_DISK_GIB: 'much' })).toThrow(/QUORATE_EC2_DISK_GIB is 'much'/);
  expect(() => settingsFrom({ QUORATE_EC2_TYPES: 't3.*;rm' })).toThrow(/QUORATE_EC2_TYPES names/);
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
