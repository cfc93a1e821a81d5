import type { InstanceTypeInfo } from '@aws-sdk/client-ec2';
import { expect, test } from 'vitest';
import { type Ec2Type, offered, whyNotOffered } from './offered.js';

const type = (InstanceType: string, cores: number, SizeInMiB: number, more: Partial<InstanceTypeInfo> = {}) =>
  ({
    InstanceType,
    VCpuInfo: { DefaultVCpus: cores },
    MemoryInfo: { SizeInMiB },
    ProcessorInfo: { SupportedArchitectures: [InstanceType.includes('g.') ? 'arm64' : 'x86_64'] },
    SupportedRootDeviceTypes: ['ebs'],
    ...more,
  }) as InstanceTypeInfo;

const names = (...types: InstanceTypeInfo[]) =>
  offered(types, ['t3.*', 't3a.*', 't4g.*', 'm*'], 16).map(({ name }) => name);

test('the smallest comes first, and of one size what is named first', () => {
  expect(
    names(
      type('m7g.large', 2, 8192),
      type('t4g.small', 2, 2048),
      type('t3a.small', 2, 2048),
      type('t3.small', 2, 2048),
    ),
  ).toEqual(['t3.small', 't3a.small', 't4g.small', 'm7g.large']);
});

test('what a controller could not live on is not offered, nor bare metal, nor what starts from no disk of Amazon’s', () => {
  expect(
    names(
      type('t3.nano', 2, 512),
      type('t3.micro', 2, 1024),
      type('m6g.medium', 1, 4096),
      type('m5.metal', 96, 393_216, { BareMetal: true }),
      type('m1.large', 2, 7680, { SupportedRootDeviceTypes: ['instance-store'] }),
      type('m1.old', 2, 7680, { ProcessorInfo: { SupportedArchitectures: ['i386'] } }),
    ),
  ).toEqual([]);
});

test('an instance has a disk of the size that is set, and runs the image of its architecture', () => {
  expect(offered([type('t4g.small', 2, 2048)], ['t4g.*'], 40)).toEqual([
    { name: 't4g.small', cores: 2, memMiB: 2048, diskGiB: 40, architecture: 'arm64' },
  ]);
});

test('why one is not offered: too small, or of another family', () => {
  const type = (name: string, memMiB: number): Ec2Type => ({
    name,
    cores: 2,
    memMiB,
    diskGiB: 16,
    architecture: 'x86_64',
  });
  expect(whyNotOffered(type('t3.nano', 512), ['t3.*'])).toBe(
    'Instance type t3.nano (2 cores, 512M of memory, 16G of disk) is too small: a controller needs 2 cores and 2G of memory.',
  );
  expect(whyNotOffered(type('p3.large', 4096), ['t3.*', 'm7g.*'])).toBe(
    'Instance type p3.large is not among those that are offered: t3.* m7g.*.',
  );
});
