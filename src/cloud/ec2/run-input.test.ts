import { expect, test } from 'vitest';
import { type Ground, runInput } from './run-input.js';

const GROUND: Ground = {
  subnet: 'subnet-1',
  group: 'sg-1',
  type: { name: 't4g.small', cores: 2, memMiB: 2048, diskGiB: 16, architecture: 'arm64' },
  image: { id: 'ami-1', name: 'debian-12', architecture: 'arm64', rootDevice: '/dev/xvda', diskGiB: 8 },
};
const REQUEST = { tags: { environment: 'e'.repeat(36), machine: '7', nonce: 'n' }, userData: 'hello', zone: 'a' };

test('the same request is the same bytes, and its token is the nonce', () => {
  const input = runInput(REQUEST, GROUND, { diskGiB: 16, profile: '' });
  expect(JSON.stringify(runInput(REQUEST, GROUND, { diskGiB: 16, profile: '' }))).toBe(JSON.stringify(input));
  expect(input).toMatchObject({
    ClientToken: 'n',
    MinCount: 1,
    MaxCount: 1,
    SubnetId: 'subnet-1',
    SecurityGroupIds: ['sg-1'],
  });
  expect(Buffer.from(input.UserData ?? '', 'base64').toString()).toBe('hello');
});

test('its metadata takes a session, its disk is encrypted and goes with it, and all of it carries the tags', () => {
  const input = runInput(REQUEST, GROUND, { diskGiB: 16, profile: 'quorate' });
  expect(input.MetadataOptions).toMatchObject({ HttpTokens: 'required' });
  expect(input.BlockDeviceMappings).toEqual([
    { DeviceName: '/dev/xvda', Ebs: { VolumeType: 'gp3', VolumeSize: 16, Encrypted: true, DeleteOnTermination: true } },
  ]);
  expect(input.IamInstanceProfile).toEqual({ Name: 'quorate' });
  expect(input.InstanceMarketOptions).toBeUndefined();
  const tags = input.TagSpecifications?.map(({ ResourceType, Tags }) => [ResourceType, Tags?.length]);
  expect(tags).toEqual([
    ['instance', 4],
    ['volume', 4],
    ['network-interface', 4],
  ]);
});

test('a disk is never smaller than its image', () => {
  const image = { ...GROUND.image, diskGiB: 30 };
  const input = runInput(REQUEST, { ...GROUND, image }, { diskGiB: 16, profile: '' });
  expect(input.BlockDeviceMappings?.[0]?.Ebs?.VolumeSize).toBe(30);
});

test('user data that Amazon would refuse is refused before', () => {
  const fits = { ...REQUEST, userData: 'x'.repeat(16_384) };
  expect(() => runInput(fits, GROUND, { diskGiB: 16, profile: '' })).not.toThrow();
  const long = { ...REQUEST, userData: 'ü'.repeat(8_193) };
  expect(() => runInput(long, GROUND, { diskGiB: 16, profile: '' })).toThrow(
    expect.objectContaining({ code: 'user-data-too-long', message: expect.stringContaining('16386 bytes') }),
  );
});
