import { expect, test } from 'vitest';
import { oneAZone } from './subnets.js';

const subnet = (SubnetId: string, AvailabilityZone: string, more: object = {}) => ({
  SubnetId,
  AvailabilityZone,
  State: 'available' as const,
  ...more,
});

test('each zone has one subnet: its default one, else a public one, else the first', () => {
  const subnets = [
    subnet('subnet-4', 'c'),
    subnet('subnet-3', 'c'),
    subnet('subnet-2', 'b'),
    subnet('subnet-9', 'b', { MapPublicIpOnLaunch: true }),
    subnet('subnet-1', 'a', { MapPublicIpOnLaunch: true }),
    subnet('subnet-8', 'a', { DefaultForAz: true }),
  ];
  const chosen = [
    { zone: 'a', id: 'subnet-8' },
    { zone: 'b', id: 'subnet-9' },
    { zone: 'c', id: 'subnet-3' },
  ];
  expect(oneAZone(subnets)).toEqual(chosen);
  expect(oneAZone([...subnets].reverse())).toEqual(chosen);
});

test('what takes no instance of ours is left out', () => {
  expect(
    oneAZone([
      subnet('subnet-1', 'a', { State: 'pending' }),
      subnet('subnet-2', 'b', { Ipv6Native: true }),
      subnet('subnet-3', 'c', { OutpostArn: 'arn:aws:outposts:x' }),
    ]),
  ).toEqual([]);
});
